import type { AuditEvent } from '#domain/audit/events.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { type CastVote, voteCheck, voteWrite } from '#domain/approval/vote.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Item, Write } from '#domain/ledger/item.ts';
import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { type ChangeResult, operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

/** Whose decision a signed record is, and of which model; `about` names to people what it decides on. */
export interface Decided {
  readonly model: string;
  readonly subject: string;
  readonly statement: Digest;
  readonly release?: Digest;
}

/** Keeps a person's verified vote, with its record; false where that person's earlier one still counts. */
export async function keepVote<Vote extends CastVote & { readonly model: string }>(
  deps: Recording,
  verb: string,
  vote: Vote,
  {
    votes,
    itemOf,
    check,
    event,
  }: {
    /** Everybody's votes on the same. */
    readonly votes: readonly Vote[];
    readonly itemOf: (vote: Vote) => Item;
    /** What it is about is still as it was read. */
    readonly check: Write;
    readonly event: AuditEvent;
  },
): Promise<boolean> {
  const earlier = votes.find(({ subject }) => subject === vote.subject);
  const result = await recordChange(deps, {
    model: vote.model,
    operation: operationName(verb, vote.statement),
    writes: [voteWrite(itemOf(vote), earlier, deps.clock.now()), check],
    event,
  });
  return result.kind !== 'refused';
}

/** Makes a change that people voted for, while all of their votes count; undefined where somebody is still missing. */
export async function changeByVotes<Vote extends CastVote>(
  deps: Recording,
  { used, missing }: { readonly used: readonly Vote[]; readonly missing: readonly ApprovalRule[] },
  itemOf: (vote: Vote) => Item,
  changeOf: (approvedBy: readonly string[]) => Omit<Parameters<typeof recordChange>[1], 'until'>,
): Promise<ChangeResult | undefined> {
  if (missing.length > 0) return undefined;
  const change = changeOf(used.map(({ subject }) => subject));
  return recordChange(deps, {
    ...change,
    writes: [...change.writes, ...used.map((vote) => voteCheck(itemOf(vote), vote))],
    until: new Date(Math.min(...used.map(({ expiresAt }) => Date.parse(expiresAt)))),
  });
}

/** Records that a decision that arrived does not count, and why. */
export async function refuseDecision(
  deps: Recording,
  { model, subject, statement, release }: Decided,
  about: string,
  why: Omit<Refusal, 'remedy'>,
): Promise<void> {
  const result = await recordChange(deps, {
    model,
    operation: operationName('refuse', statement),
    writes: [],
    event: {
      code: 'DECISION_REFUSED',
      actor: 'pipeline:intake',
      release: release ?? null,
      details: { promotion: about, subject, rule: why.rule, found: why.found, statement },
    },
  });
  if (result.kind === 'refused')
    throw new GatehouseError('DECISION_NOT_RECORDED', 'a refused decision could not be recorded', why);
}
