import { z } from 'zod';
import { contract, type Task } from '#use-cases/task.ts';
import { CheckSourceData } from './check-source-data.ts';
import { examineTarget, type Examining } from './examine-target.ts';
import { DrillPlan } from './plan-drill.ts';
import { VerifyRollbackTarget } from './verify-rollback-target.ts';
import { recordReadiness as record, type RecordingReadiness } from './write-readiness.ts';

export const RecordReadiness = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    plan: DrillPlan,
    verification: VerifyRollbackTarget.output,
    data: CheckSourceData.output,
  }),
  output: z.object({ status: z.enum(['ready', 'not-ready', 'superseded']), reasons: z.array(z.string()) }),
});

/** Looks at what the other functions must not, joins what all found, and records whether a rollback would work. */
export function recordReadiness(deps: Examining & RecordingReadiness): Task {
  return RecordReadiness.task(async ({ model, run, plan, verification, data }) => {
    const { release, version, epoch, startedAt } = plan;
    const failed = await examineTarget(deps, model, release, { checks: verification.checks, data: data.kinds });
    const found = failed.length === 0 ? 'ready' : 'not-ready';
    const status = await record(deps, model, { status: found, run, release, version, epoch, startedAt, failed });
    if (status === 'superseded') return { status, reasons: ['the pointer moved, or a later check has ended'] };
    const reasons = failed.map((each) => `${each.condition}: ${each.found}`);
    return { status: status === 'ready' ? status : 'not-ready', reasons };
  });
}
