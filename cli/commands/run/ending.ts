import { readRecords } from '#read-model/chain.ts';
import type { Cloud } from '../../cloud.ts';
import type { ExecutionView } from '../../executions.ts';
import { refuse } from '../../refusal.ts';
import { reasonsOf } from './causes.ts';

/** Runs that ended without what they are for: nothing was offered, or the data is not fit to be trained on. */
const UNFRUITFUL = new Set(['rejected', 'held', 'failed', 'FAIL', 'INCONCLUSIVE']);

/** Refuses a run that failed, or was rejected or held: why, and what to do next. */
export async function mustHaveEndedWell(
  cloud: Cloud,
  run: { readonly model: string; readonly name: string; readonly status: string; readonly reasons?: readonly string[] },
  view: Pick<ExecutionView, 'status'>,
): Promise<void> {
  const { model, name, status } = run;
  const hasFailed = view.status !== 'SUCCEEDED';
  if (!hasFailed && !UNFRUITFUL.has(status)) return;
  const chain = (await readRecords(cloud.ledger, model)).map(({ record }) => record);
  const recorded = reasonsOf(chain, name);
  const reasons = recorded.length > 0 ? recorded : (run.reasons ?? []);
  const place = `${model} ${name} --env ${cloud.environment}`;
  refuse(
    hasFailed ? 'run-succeeded' : 'run-fruitful',
    `${name} ended ${hasFailed ? view.status : status}: ${reasons.join('; ') || 'no reason was recorded'}`,
    hasFailed
      ? `see where: gatehouse run logs ${place}`
      : `see its candidates and figures: gatehouse run show ${place}; correct the cause and start another run`,
  );
}
