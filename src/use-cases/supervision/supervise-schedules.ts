import { isDeepStrictEqual } from 'node:util';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type ExpectedRun, expectRun, type Missed } from '#domain/supervision/expected-run.ts';
import { graceMs } from '#domain/supervision/next-run.ts';
import { environmentSchedule, type Scheduled } from '#domain/supervision/schedules.ts';
import { findRound, readExpectedRuns } from '#read-model/schedules.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { each, type Fault } from '#use-cases/each.ts';

export interface SupervisingSchedules extends Recording {
  readonly models: readonly string[];
  readonly schedules: readonly Scheduled[];
}

const OWN = environmentSchedule('supervise').name;

/**
 * Compares what each schedule has left with what was expected of it, and tells people of each run that did not come, once.
 * @returns the schedules whose runs are missing
 */
export async function superviseSchedules(deps: SupervisingSchedules, faults: Fault[]): Promise<readonly string[]> {
  const { ledger, environment, schedules, models } = deps;
  const now = deps.clock.now();
  const missing: string[] = [];
  const before = await findRound(ledger, environment);
  // After a break of its own it cannot tell what is late from what nobody could start.
  const own = environmentSchedule('supervise');
  const isBreak = before === undefined || now.getTime() - Date.parse(before.at) > 3 * graceMs(own, now);
  const since = isBreak ? now.toISOString() : before.since;
  for (const of of [...models, environment]) {
    const ofIt = schedules.filter(({ model }) => (model ?? environment) === of);
    await each(
      faults,
      [`schedules of ${of}`],
      (item) => ({ item, model: models.includes(of) ? of : models[0] }),
      async () => {
        const read = await readExpectedRuns(ledger, of);
        await each(
          faults,
          ofIt,
          ({ name, model }) => ({ item: `schedules of ${of}: ${name}`, model: model ?? models[0] }),
          async (schedule) => {
            const { name } = schedule;
            const known = read.expected.get(name);
            const { expected, missed } = expectRun({
              timing: schedule,
              known,
              isNew: before !== undefined && !before.schedules.includes(name),
              heartbeat: read.heartbeats.get(name),
              // Its own break is what it has to tell.
              supervisedSince: new Date(name === OWN ? 0 : since),
              now,
            });
            await keepExpectedRun(deps, schedule, { known, expected, missed });
            if (expected.missed > 0) missing.push(name);
          },
        );
      },
    );
  }
  const round = { at: now.toISOString(), since, schedules: schedules.map(({ name }) => name) };
  const item = { ...keys.supervision(environment), ...round };
  await writeUnaudited(ledger, [{ kind: 'put', item }], operationName('round', JSON.stringify(item)));
  return missing;
}

async function keepExpectedRun(
  deps: SupervisingSchedules,
  { name, model, expression, timezone }: Scheduled,
  {
    known,
    expected,
    missed,
  }: { readonly known: ExpectedRun | undefined; readonly expected: ExpectedRun; readonly missed: Missed | undefined },
): Promise<void> {
  if (isDeepStrictEqual(known, expected)) return;
  const item = { ...keys.expectedRun(model ?? deps.environment, name), ...expected };
  const condition =
    known === undefined
      ? ABSENT
      : equals({
          heartbeat: known.heartbeat,
          countedFrom: known.countedFrom,
          expectedAt: known.expectedAt,
          alertedAt: known.alertedAt,
        });
  const writes = [{ kind: 'put', item, condition }] as const;
  const chain = model ?? deps.models[0];
  // Whoever was quicker looked at the same: what is refused was done.
  if (missed === undefined || chain === undefined) {
    await writeUnaudited(deps.ledger, writes, operationName('x', JSON.stringify(writes)));
    return;
  }
  await recordChange(deps, {
    model: chain,
    operation: operationName('missed-run', name, missed.expectedAt),
    writes,
    event: {
      code: 'SCHEDULE_MISSED',
      actor: 'pipeline:supervisor',
      release: null,
      details: { schedule: name, expression, timezone, ...missed, lastRunAt: known?.heartbeat ?? null },
    },
  });
}
