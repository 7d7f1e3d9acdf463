import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { confirmedReleases } from '#domain/promotion/pointer.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import { cut } from '#domain/text.ts';
import { mayBeWaived } from '#domain/rollback-readiness/conditions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { CheckSourceData } from '#use-cases/rollback-readiness/check-source-data.ts';
import { examineTarget, type Examining } from '#use-cases/rollback-readiness/examine-target.ts';
import { VerifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';
import { PlanRollbackTarget } from './plan-rollback-target.ts';

export const PrepareRollbackTarget = contract({
  input: z.object({
    model: z.string(),
    promotion: z.string(),
    planned: PlanRollbackTarget.output.pick({ release: true }),
    verification: VerifyRollbackTarget.output,
    data: CheckSourceData.output,
  }),
  output: z.discriminatedUnion('status', [
    /** Null where nothing was confirmed before. */
    z.object({ status: z.literal('ready'), target: Digest.nullable() }),
    Refused,
  ]),
});

/** Makes sure, before anything is switched, that a rollback to what it would go back to would work. */
export function prepareRollbackTarget(deps: Examining & Recording): Task {
  return PrepareRollbackTarget.task(async ({ model, promotion: name, planned, verification, data }) => {
    const [target] = confirmedReleases(await readPointer(deps.ledger, model));
    if ((target?.release ?? null) !== planned.release) {
      const found = `a rollback would go to ${target?.version ?? 'nothing'} now, and another release was checked`;
      return { status: 'refused', refusal: refusal('rollback-target', found, 'request the promotion again') };
    }
    if (target === undefined) return { status: 'ready', target: null };
    const failures = await examineTarget(deps, model, target.release, {
      checks: verification.checks,
      data: data.kinds,
    });
    const [first, ...others] = failures;
    if (first === undefined) return { status: 'ready', target: target.release };
    const more = others.length === 0 ? '' : `; and ${others.map(({ condition }) => condition).join(', ')}`;
    const found = `${target.version} is not ready (${first.condition}): ${first.found}${more}`;
    const promotion = await findPromotion(deps.ledger, model, name);
    if (promotion === undefined || !mayBeWaived(failures, { ...promotion, environment: deps.environment }))
      return { status: 'refused', refusal: refusal('rollback-target', found, first.remedy) };
    await recordChange(deps, {
      model,
      operation: operationName('readiness-waived', name),
      writes: [],
      event: {
        code: 'ROLLBACK_READINESS_WAIVED',
        actor: 'pipeline:release',
        release: target.release,
        details: {
          promotion: name,
          version: target.version,
          transition: promotion.transition,
          conditions: failures.map(({ condition }) => condition),
          found: cut(found, 600),
        },
      },
    });
    return { status: 'ready', target: target.release };
  });
}
