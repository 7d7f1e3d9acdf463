import { z } from 'zod';
import { SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { Metrics } from '#ports/metrics.ts';
import { recordFaults } from '#use-cases/audit/record-faults.ts';
import { type Fault, messageOf } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { inspectResources, type InspectingResources } from './inspect-resources.ts';
import { measureModels, type MeasuringModels } from './measure-models.ts';
import { superviseSchedules, type SupervisingSchedules } from './supervise-schedules.ts';

export interface Supervising extends SupervisingSchedules, InspectingResources, MeasuringModels {
  readonly environment: string;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
}

export const SuperviseEnvironment = contract({
  input: z.object({}),
  output: z.object({
    /** Schedules whose runs are missing. */
    missed: z.array(z.string()),
    /** What it found wrong, or could not look at; what lasts is alerted. */
    faults: z.array(z.string()),
  }),
});

/** A round of the supervisor: what was expected to happen, and did not. It says that it was there, whatever it found. */
export function superviseEnvironment(deps: Supervising): Task {
  return SuperviseEnvironment.task(async () => {
    const faults: Fault[] = [];
    const missed = await superviseSchedules(deps, faults);
    const deadLetters = await inspectResources(deps, faults);
    // Before what may fail, or take long: it was there.
    deps.metrics.emit(
      { environment: deps.environment },
      {
        [SUPERVISION_METRICS.supervised]: 1,
        [SUPERVISION_METRICS.missed]: missed.length,
        ...(deadLetters === undefined ? {} : { [SUPERVISION_METRICS.deadLetters]: deadLetters }),
      },
    );
    await measureModels(deps, faults);
    await recordFaults(deps, 'supervisor', faults);
    return { missed, faults: faults.map(({ item, error }) => `${item}: ${messageOf(error)}`) };
  });
}
