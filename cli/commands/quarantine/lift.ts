import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { isExpired } from '#domain/approval/vote.ts';
import { personOf } from '#domain/control/person.ts';
import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import { TargetEnvironment } from '#domain/policy/policy.ts';
import { Role } from '#domain/policy/role.ts';
import {
  countLiftVotes,
  type Quarantine,
  type QuarantineApproval,
  whyNotLiftable,
} from '#domain/promotion/quarantine.ts';
import { SeenText } from '#domain/text.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readRecords } from '#read-model/chain.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { findQuarantine, readQuarantineVotes } from '#read-model/quarantines.ts';
import type { Context, Run } from '../../context.ts';
import { controlApi } from '../../control/api.ts';
import { missingText } from '../../control/votes.ts';
import { interruptibly } from '../../interrupt.ts';
import { type FoundRelease, findRelease, modelNames, parseReference } from '../../references.ts';
import { refuse, RefusedError } from '../../refusal.ts';
import { shortTime } from '../../report.ts';
import { poll, PULL_DEADLINE_MS } from '../../waiting.ts';

const Input = z.object({ release: z.string(), reason: SeenText.min(3).max(500), role: Role.optional() });

/** Votes, as the signed-in person, to lift the quarantine that the pipeline itself made of a release. */
export const run: Run = async (context) => {
  const { release: named, reason, role } = context.input(Input);
  const environment = TargetEnvironment.parse(context.environment(['staging', 'prod']));
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), await modelNames(context));
  const { model, release, version } = found;
  const { ledger } = context.cloud(environment);
  const quarantine = await findQuarantine(ledger, model, release);
  if (quarantine === undefined)
    return refuse('quarantine-known', `${model}@${version} is not quarantined in ${environment}`);
  if (quarantine.status === 'lifted') return show(context, found, environment, { status: 'lifted', quarantine });
  const why = whyNotLiftable(quarantine, release);
  if (why !== undefined) throw new RefusedError(why);
  const control = await controlApi(context);
  const mine = (await readQuarantineVotes(ledger, model, quarantine)).find(
    (vote) => vote.subject === personOf(control.username) && !isExpired(vote, context.now()),
  );
  if (mine !== undefined) {
    const standing = await statusOf(ledger, context.now(), model, quarantine, mine);
    return show(context, found, environment, { ...standing, isEarlier: true });
  }
  context.note(
    `${model}@${version} was rolled back at ${shortTime(quarantine.at)} by ${quarantine.actor}: ${quarantine.reason}`,
  );
  await context.confirm(
    `Vote to lift this quarantine in ${environment}, so that the release can be promoted there again?`,
  );
  const { rollback } = quarantine;
  const vote = { model, environment, release, rollback, reason, ...(role === undefined ? {} : { role }) };
  const voted = await control.voteToLift(vote);
  context.note(`voted as ${control.username} (${voted.role}); ${environment} verifies the signed vote`);
  const outcome = context.wait
    ? await interruptibly('the vote goes on; see: gatehouse quarantine list', (signal) =>
        poll(() => outcomeOf(context, ledger, model, quarantine, voted.statement), PULL_DEADLINE_MS, signal),
      )
    : undefined;
  show(context, found, environment, outcome ?? { status: 'sent', quarantine, role: voted.role });
};

/** What became of a vote: recorded by control, counted by the target, or the last that was missing. */
interface Standing {
  readonly status: 'sent' | 'voted' | 'lifted';
  readonly quarantine: Quarantine;
  readonly role?: Role;
  readonly vote?: QuarantineApproval;
  readonly missing?: readonly ApprovalRule[];
  /** The vote had been cast before. */
  readonly isEarlier?: boolean;
}

/** What the target has made of a vote; undefined while it has not, or is about to lift the quarantine. */
async function outcomeOf(
  context: Context,
  ledger: ReadableLedger,
  model: string,
  quarantine: Quarantine,
  statement: string,
): Promise<Standing | undefined> {
  const now = await findQuarantine(ledger, model, quarantine.release);
  if (now?.status === 'lifted' && now.rollback === quarantine.rollback) return { status: 'lifted', quarantine: now };
  const vote = (await readQuarantineVotes(ledger, model, quarantine)).find((each) => each.statement === statement);
  if (vote !== undefined) {
    const standing = await statusOf(ledger, context.now(), model, quarantine, vote);
    return standing.missing?.length === 0 ? undefined : standing;
  }
  for (const { record } of await readRecords(ledger, model)) {
    const refused = record.code === 'DECISION_REFUSED' ? detailsOf(record, record.code) : undefined;
    if (refused?.statement === statement)
      throw new RefusedError({ rule: refused.rule, found: refused.found, remedy: 'see: gatehouse quarantine list' });
  }
  return undefined;
}

async function statusOf(
  ledger: ReadableLedger,
  now: Date,
  model: string,
  quarantine: Quarantine,
  vote: QuarantineApproval,
): Promise<Standing> {
  const [active, votes] = await Promise.all([
    readActivePolicy(ledger, model),
    readQuarantineVotes(ledger, model, quarantine),
  ]);
  const missing = active === undefined ? [] : countLiftVotes(active, quarantine, votes, now).missing;
  return { status: 'voted', quarantine, role: vote.role, vote, missing };
}

function show(
  context: Context,
  { model, release, version }: FoundRelease,
  environment: TargetEnvironment,
  { status, quarantine, role, vote, missing, isEarlier = false }: Standing,
): void {
  const of = `the quarantine of ${model}@${version} in ${environment}`;
  const lines = {
    sent: [`voted as ${role} to lift ${of}; ${environment} has not counted it yet; see: gatehouse quarantine list`],
    voted: [
      isEarlier
        ? `you have voted to lift ${of} already, as ${role}; ${missingText(missing ?? [])}`
        : `voted as ${role} to lift ${of}; ${missingText(missing ?? [])}`,
      `the vote counts until ${shortTime(vote?.expiresAt ?? null)}, and only for ${quarantine.rollback}`,
    ],
    lifted: [
      `${of} was lifted at ${shortTime(quarantine.lifted?.at ?? null)} by ${quarantine.lifted?.approvedBy.join(', ')}`,
      `promote it again: gatehouse promote ${model}@${version} --to ${environment}`,
    ],
  }[status];
  const { rollback, lifted } = quarantine;
  context.print({
    data: {
      model,
      release,
      version,
      environment,
      rollback,
      status,
      ...(role === undefined ? {} : { role }),
      ...(vote === undefined ? {} : { statement: vote.statement, expiresAt: vote.expiresAt }),
      ...(missing === undefined ? {} : { missing }),
      ...(lifted === undefined ? {} : { lifted }),
    },
    sections: [{ lines }],
  });
}
