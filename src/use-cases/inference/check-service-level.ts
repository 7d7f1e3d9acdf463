import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { Day } from '#domain/model/definition.ts';
import { planPredictions } from '#domain/prediction/desired.ts';
import { keptDays } from '#domain/prediction/reconciliation.ts';
import { serviceLevel } from '#domain/prediction/service-level.ts';
import { readPointer } from '#read-model/pointer.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { type ReadingPredictions, readPredictionState } from './prediction-state.ts';
import { type ReportingUnchecked, reportUnchecked } from './report-unchecked.ts';

/** The hours that are promised, and the newest day that has predictions of the served release. */
const Level = { hours: z.number().positive(), newest: Day.nullable() };

export const CheckServiceLevel = contract({
  input: z.object({ model: z.string() }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('nothing-served') }),
    z.object({ status: z.literal('kept'), ...Level }),
    /** `overdue` counts days. */
    z.object({ status: z.literal('overdue'), ...Level, overdue: z.int().positive() }),
  ]),
});

/**
 * Checks whether each day that is due has its predictions within the hours that the served release's definition promises, and
 * records and alerts what has not, once a day for as long as it lasts. It sees what no run says: runs that were never asked
 * for, or that wait for data which does not come. For the same reason it is what reports how long no drift check has come.
 */
export function checkServiceLevel(deps: Recording & ReadingPredictions & ReportingUnchecked): Task {
  return CheckServiceLevel.task(async ({ model }) => {
    const pointer = await readPointer(deps.ledger, model);
    await reportUnchecked(deps, model, pointer);
    if (pointer === undefined) return { status: 'nothing-served' };
    const { state, refusals } = await readPredictionState(deps, model, pointer.current);
    const { plan, waiting } = planPredictions(state);
    const now = deps.clock.now();
    const { hours, newest, overdue } = serviceLevel(
      { ...state, pointer, kept: keptDays(plan), waiting, refusals },
      now,
    );
    if (overdue.length === 0) return { status: 'kept', hours, newest };
    const causes = [...new Set(overdue.map(({ cause }) => cause))];
    await recordChange(deps, {
      model,
      operation: operationName('overdue', now.toISOString().slice(0, 10)),
      writes: [],
      event: {
        code: 'PREDICTIONS_OVERDUE',
        actor: 'schedule:service-level',
        release: pointer.current,
        details: {
          hours,
          days: overdue.slice(0, 40).map(({ day }) => day),
          count: overdue.length,
          newest,
          causes: truncated(causes, 4, 1600),
        },
      },
    });
    return { status: 'overdue', hours, newest, overdue: overdue.length };
  });
}
