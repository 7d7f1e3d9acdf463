import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { type CanaryRequest, MOST_HOURS } from '#domain/policy/canary.ts';
import { Hotfix, TargetEnvironment } from '#domain/policy/policy.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { type HashedRecord, readRecords } from '#read-model/chain.ts';
import { readPromotions } from '#read-model/promotions.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { refuse, RefusedError, UsageError } from '../../refusal.ts';
import { controlApi } from '../../control/api.ts';
import { type FoundRelease, findRelease, modelNames, parseReference } from '../../references.ts';
import { interruptibly } from '../../interrupt.ts';
import { poll, PULL_DEADLINE_MS } from '../../waiting.ts';
import { mustNotBeQuarantined } from './not-there.ts';

const Input = z.object({
  release: z.string(),
  to: TargetEnvironment,
  hotfix: z.boolean().default(false),
  reason: Hotfix.shape.reason.optional(),
  canaryHours: z.coerce.number().gt(0, 'hours, above 0').max(MOST_HOURS, `at most ${MOST_HOURS} hours`).optional(),
  shadowOnly: z.boolean().default(false),
  ab: z.boolean().default(false),
});

/** What is asked of the canary otherwise than the policy says. */
function canaryRequestOf({
  canaryHours: hours,
  shadowOnly,
  ab,
}: Pick<z.output<typeof Input>, 'canaryHours' | 'shadowOnly' | 'ab'>): { readonly canaryRequest?: CanaryRequest } {
  const named: CanaryRequest[] = [
    ...(hours === undefined ? [] : [{ kind: 'longer' as const, hours }]),
    ...(shadowOnly ? [{ kind: 'shadow-only' as const }] : []),
    ...(ab ? [{ kind: 'ab' as const }] : []),
  ];
  const [canaryRequest, ...more] = named;
  if (more.length > 0)
    throw new UsageError('--canary-hours, --shadow-only and --ab exclude each other; leave all but one out');
  return canaryRequest === undefined ? {} : { canaryRequest };
}

export const run: Run = async (context) => {
  const { release: named, to, hotfix: isHotfix, reason, ...asked } = context.input(Input);
  const canary = canaryRequestOf(asked);
  if (isHotfix && reason === undefined)
    throw new UsageError(
      `--hotfix has no --reason; type: gatehouse promote ${named} --to ${to} --hotfix --reason "why it cannot wait for staging"`,
    );
  if (!isHotfix && reason !== undefined)
    throw new UsageError(`--reason is of a hotfix; add --hotfix, or type: gatehouse promote ${named} --to ${to}`);
  const hotfix = reason === undefined ? {} : { hotfix: { reason } };
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), await modelNames(context));
  const { model, release, version } = found;
  await mustNotBeQuarantined(context, found, to);
  const control = await controlApi(context);
  const { seq } = await control.ask({
    model,
    release,
    version,
    environment: to,
    ...hotfix,
    ...canary,
    requestId: randomUUID(),
  });
  context.note(
    `requested as ${control.username}: promotion of ${model}@${version} to ${to} (record ${seq} of control's chain)`,
  );
  if (!context.wait) {
    context.print({
      data: { model, release, version, environment: to, seq },
      sections: [{ lines: [`see: gatehouse why ${model}@${version} --to ${to}`] }],
    });
    return;
  }
  const target = context.cloud(to);
  const goesOn = `the request goes on; see: gatehouse why ${model}@${version} --to ${to}`;
  const outcome = await interruptibly(goesOn, (signal) =>
    poll(() => outcomeOf(target, model, seq), PULL_DEADLINE_MS, signal),
  );
  const opened = mustHaveOpened(outcome, found, to);
  context.print({
    data: { model, release, version, environment: to, seq, ...opened },
    sections: [{ lines: [opened.text] }],
  });
};

/** What became of a request that the target accepted; refused where it did not, or has not answered. */
export function mustHaveOpened(
  outcome: Outcome | undefined,
  { model, version }: FoundRelease,
  to: TargetEnvironment,
): Opened {
  if (outcome === undefined)
    return refuse('promotion-opened', `${to} has not answered yet`, `look later: gatehouse status ${model}`);
  if (outcome.status !== 'refused') return outcome;
  const { rule, found } = outcome;
  throw new RefusedError({ rule, found, remedy: `see: gatehouse why ${model}@${version} --to ${to}` });
}

type Outcome = { readonly status: 'refused'; readonly rule: RuleId; readonly found: string } | Opened;

interface Opened {
  readonly status: 'promoted' | 'awaiting-approval' | 'in-canary' | 'superseded';
  readonly promotion: string;
  readonly text: string;
}

async function outcomeOf(target: Cloud, model: string, seq: number): Promise<Outcome | undefined> {
  const promotion = (await readPromotions(target.ledger, model)).find(
    (each) => each.requestedIn === 'control' && each.requestSeq === seq,
  );
  return promotion === undefined || promotion.status === 'refused' || promotion.status === 'failed'
    ? refusalOf(await readRecords(target.ledger, model), seq)
    : statusOf(promotion, promotion.status);
}

/** Why a request was refused or failed, as the target's chain says it: it names a promotion that never opened as well. */
export function refusalOf(records: readonly HashedRecord[], seq: number): Outcome | undefined {
  for (const { record } of records) {
    const refused = record.code === 'PROMOTION_REFUSED' ? detailsOf(record, record.code) : undefined;
    if (refused?.promotion.endsWith(`-control-${seq}`) === true) {
      return { status: 'refused', rule: refused.rule, found: refused.reasons.join('; ') };
    }
    const failed = record.code === 'PROMOTION_FAILED' ? detailsOf(record, record.code) : undefined;
    if (failed?.promotion.endsWith(`-control-${seq}`) === true) {
      return { status: 'refused', rule: 'promotion-succeeded', found: `${failed.state}: ${failed.error}` };
    }
  }
  return undefined;
}

function statusOf(
  promotion: Promotion,
  status: Exclude<Promotion['status'], 'refused' | 'failed'>,
): Outcome | undefined {
  const name = promotion.promotion;
  switch (status) {
    case 'open':
      return undefined;
    case 'awaiting-approval': {
      const asked = promotion.approvals.map(({ role, count }) => `${count} of ${role}`).join(', ');
      return {
        status: 'awaiting-approval',
        promotion: name,
        text: `${name} waits for ${asked}; they decide by: gatehouse approve ${name}`,
      };
    }
    case 'in-canary':
      return {
        status: 'in-canary',
        promotion: name,
        text: `${name} is watched before it is promoted; see: gatehouse promotion watch ${name}`,
      };
    case 'committed':
      return {
        status: 'promoted',
        promotion: name,
        text: `${promotion.model}@${promotion.version} is in ${promotion.environment}`,
      };
    case 'superseded':
      return { status: 'superseded', promotion: name, text: `${name}: ${promotion.ending ?? 'superseded'}` };
  }
}
