import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { Hotfix, TargetEnvironment } from '#domain/policy/policy.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { type HashedRecord, readRecords } from '#read-model/chain.ts';
import { readPromotions } from '#read-model/promotions.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { refuse, UsageError } from '../../refusal.ts';
import { controlApi } from '../../control/api.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { interruptibly } from '../../interrupt.ts';
import { poll } from '../../waiting.ts';
import { mustNotBeQuarantined } from './not-there.ts';

/** How long a target may take to pull a request: the reconciler comes by every few minutes when an announcement got lost. */
const DEADLINE_MS = 15 * 60_000;

const Input = z.object({
  release: z.string(),
  to: TargetEnvironment,
  hotfix: z.boolean().default(false),
  reason: Hotfix.shape.reason.optional(),
});

export const run: Run = async (context) => {
  const { release: named, to, hotfix: isHotfix, reason } = context.input(Input);
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
  const { seq } = await control.ask({ model, release, version, environment: to, ...hotfix, requestId: randomUUID() });
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
    poll(() => outcomeOf(target, model, seq), DEADLINE_MS, signal),
  );
  if (outcome === undefined)
    refuse('promotion-opened', `${to} has not answered yet`, `look later: gatehouse status ${model}`);
  if (outcome.status === 'refused')
    refuse(outcome.rule, outcome.found, `see: gatehouse why ${model}@${version} --to ${to}`);
  context.print({
    data: { model, release, version, environment: to, seq, ...outcome },
    sections: [{ lines: [outcome.text] }],
  });
};

type Outcome =
  | { readonly status: 'refused'; readonly rule: string; readonly found: string }
  | {
      readonly status: 'promoted' | 'awaiting-approval' | 'superseded';
      readonly promotion: string;
      readonly text: string;
    };

async function outcomeOf(target: Cloud, model: string, seq: number): Promise<Outcome | undefined> {
  const promotion = (await readPromotions(target.ledger, model)).find(
    (each) => each.requestedIn === 'control' && each.requestSeq === seq,
  );
  return promotion === undefined ? refusalOf(await readRecords(target.ledger, model), seq) : statusOf(promotion);
}

/** A request that opened no promotion is refused in the target's chain, under the name that the promotion would have had. */
export function refusalOf(records: readonly HashedRecord[], seq: number): Outcome | undefined {
  for (const { record } of records) {
    const refused = record.code === 'PROMOTION_REFUSED' ? detailsOf(record, record.code) : undefined;
    if (refused?.promotion.endsWith(`-control-${seq}`) === true) {
      return { status: 'refused', rule: refused.rule, found: refused.reasons.join('; ') };
    }
    const failed = record.code === 'PROMOTION_FAILED' ? detailsOf(record, record.code) : undefined;
    if (failed?.promotion.endsWith(`-control-${seq}`) === true) {
      return { status: 'refused', rule: failed.state, found: failed.error };
    }
  }
  return undefined;
}

function statusOf(promotion: Promotion): Outcome | undefined {
  const name = promotion.promotion;
  switch (promotion.status) {
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
    case 'committed':
      return {
        status: 'promoted',
        promotion: name,
        text: `${promotion.model}@${promotion.version} is in ${promotion.environment}`,
      };
    case 'superseded':
      return { status: 'superseded', promotion: name, text: `${name}: ${promotion.ending ?? 'superseded'}` };
    case 'refused':
    case 'failed':
      return {
        status: 'refused',
        rule: promotion.ending?.split(':')[0] ?? promotion.status,
        found: promotion.ending ?? promotion.status,
      };
  }
}
