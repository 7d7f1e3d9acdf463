import { z } from 'zod';
import type { Recording } from '#use-cases/audit/record-change.ts';
import { failRun } from '#use-cases/runs/record-run-failure.ts';
import { endPromotion } from '#use-cases/promotion/end-promotion.ts';

/** What Step Functions says of an execution that failed, timed out or was aborted. */
export interface ExecutionEnd {
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: string;
  readonly input?: string | null | undefined;
  readonly cause?: string | null | undefined;
}

/** What each machine calls its model and its run in its input. */
const Input = z.union([
  z.object({ model: z.string(), rollback: z.string() }).transform(({ model, rollback }) => ({ model, run: rollback })),
  z.object({ model: z.string(), run: z.string().optional() }).transform(({ model, run }) => ({ model, run })),
]);

/** Records an execution that ended badly, unless one of its own states has recorded it already. */
export async function recordExecutionEnd(deps: Recording, end: ExecutionEnd): Promise<{ readonly result: string }> {
  const parsed = Input.safeParse(JSON.parse(end.input ?? '{}'));
  if (!parsed.success) return { result: 'no-model' };
  const { model, run = end.name } = parsed.data;
  const machine = end.stateMachineArn
    .slice(end.stateMachineArn.lastIndexOf(':') + 1)
    .replace(`gatehouse-${deps.environment}-`, '');
  const error = `${end.status}: ${end.cause ?? 'no cause was given'}`.slice(0, 600);
  if (machine === 'promotion') {
    // The name of a promotion's execution is the promotion's.
    const ending = { status: 'failed', state: `execution ${end.status}`, error } as const;
    return { result: (await endPromotion(deps, { model, promotion: end.name }, ending)).status };
  }
  return { result: await failRun(deps, { machine, model, run, actor: 'pipeline:recorder', state: end.status, error }) };
}
