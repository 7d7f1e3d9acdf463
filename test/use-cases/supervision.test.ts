import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type Scheduled, schedulesOf } from '#domain/supervision/schedules.ts';
import { heartbeats } from '#use-cases/supervision/heartbeat.ts';
import { definition, type Environment, hours, MODEL, world } from './_environments.ts';
import { supervised } from './_supervised.ts';

const MINUTE = 60_000;
const MissedRun = z.object({ schedule: z.string(), expectedAt: z.string(), runs: z.number() });
const ok = async (): Promise<object> => ({});

let all: ReturnType<typeof world>;
let prod: Environment;
let schedules: readonly Scheduled[];
let own: ReturnType<typeof supervised>;
beforeEach(() => {
  all = world();
  prod = all.environment('prod');
  schedules = schedulesOf('prod', [definition]);
  own = supervised(prod, schedules);
});

const round = (of: { readonly names?: readonly Scheduled[] } = {}): Promise<object> => own.round(of.names ?? schedules);

const ran = async (kind: Scheduled['kind'], model?: string): Promise<object> =>
  heartbeats({ ...prod, onLost: () => {} })(kind, ok)(model === undefined ? {} : { model });

/** Lets time pass, in rounds of five minutes, while those run whose names are given. */
async function pass(minutes: number, running: readonly string[]): Promise<void> {
  for (let passed = 0; passed < minutes; passed += 5) {
    all.clock.at += 5 * MINUTE;
    for (const { name, kind, model } of schedules)
      if (running.includes(name) && name !== 'supervise') await ran(kind, model);
    await round();
  }
}

const missed = async (): Promise<readonly (readonly unknown[])[]> =>
  (await prod.chain())
    .filter(({ code }) => code === 'SCHEDULE_MISSED')
    .map(({ details }) => MissedRun.parse(details))
    .map(({ schedule, expectedAt, runs }) => [schedule, expectedAt.slice(5, 16), runs]);

const DAILY = ['review', 'drift', 'predict', 'service-level', 'readiness'].map((kind) => `${kind}-${MODEL}`);
const NAMES = [...DAILY, 'tend-incidents', 'integrity'];
const EVERYTHING = [...NAMES, 'reconcile'];
const without = (name: string): readonly string[] => EVERYTHING.filter((each) => each !== name);

describe('a supervised schedule', () => {
  it('is alerted once for a run that was missed, and again for the next one; nothing is where all run', async () => {
    await pass(60 * 26, EVERYTHING);
    expect(await missed()).toEqual([]);
    await pass(60 * 50, without(`drift-${MODEL}`));
    // Of the day's run, and of that of the day after; each may be 75 minutes late.
    expect(await missed()).toEqual([
      [`drift-${MODEL}`, '03-04T11:00', 1],
      [`drift-${MODEL}`, '03-05T11:00', 1],
    ]);
    await pass(60 * 26, EVERYTHING);
    expect(await missed()).toHaveLength(2);
    expect(own.metrics.emitted.findLast(([dimensions]) => !('model' in dimensions))).toEqual([
      { environment: 'prod' },
      { Supervised: 1, MissedSchedules: 0, DeadLetters: 0 },
    ]);
  });

  it('is alerted where it never ran at all', async () => {
    await pass(60 * 24 + 85, without(`predict-${MODEL}`));
    expect(await missed()).toEqual([[`predict-${MODEL}`, '03-03T09:05', 1]]);
    expect(own.metrics.emitted.findLast(([dimensions]) => !('model' in dimensions))?.[1]).toMatchObject({
      MissedSchedules: 1,
    });
  });

  it('is alerted at most once an hour where it runs each few minutes', async () => {
    await pass(60 * 3, NAMES);
    const found = await missed();
    expect(found.map(([name]) => name)).toEqual(['reconcile', 'reconcile', 'reconcile']);
    // No run is counted twice, and none is left out but those that are late yet.
    expect(found.reduce((sum, [, , runs]) => sum + Number(runs), 0)).toBeLessThanOrEqual(36);
  });

  it('is alerted as seldom where one of ten runs comes', async () => {
    for (let hour = 0; hour < 3; hour += 1) {
      await pass(5, EVERYTHING);
      await pass(25, NAMES);
      await pass(5, EVERYTHING);
      await pass(25, NAMES);
    }
    expect(await missed()).toHaveLength(3);
  });

  it('counts from now where its expression was changed, or where it is new or comes back', async () => {
    await pass(60 * 23, EVERYTHING);
    const changed = schedules.map((each) =>
      each.name === `drift-${MODEL}` ? { ...each, expression: 'cron(0 7 * * ? *)' } : each,
    );
    await round({ names: changed });
    const item = await prod.ledger.get(keys.expectedRun(MODEL, `drift-${MODEL}`));
    expect(item).toMatchObject({ expression: 'cron(0 7 * * ? *)', expectedAt: '2026-03-04T07:00:00.000Z' });
    // A model that was removed for two days misses nothing, then or afterwards.
    schedules = changed.filter(({ model }) => model === undefined);
    await pass(60 * 48, ['reconcile', 'tend-incidents', 'integrity']);
    schedules = changed;
    await pass(15, ['reconcile', 'tend-incidents', 'integrity']);
    expect(await missed()).toEqual([]);
  });

  it('ran when it was seen to have run, where its heartbeat is of the future', async () => {
    await round();
    all.clock.at += hours(1000);
    await ran('drift', MODEL);
    all.clock.at -= hours(1000);
    await pass(60 * 24 + 85, without(`drift-${MODEL}`));
    expect(await missed()).toEqual([[`drift-${MODEL}`, '03-03T09:05', 1]]);
  });

  it('may catch up where the supervisor itself did not run; of that people are told', async () => {
    await pass(60, EVERYTHING);
    all.clock.at += hours(30);
    await round();
    expect(await missed()).toEqual([['supervise', '03-02T10:05', 359]]);
    await pass(90, EVERYTHING);
    expect((await missed()).map(([name]) => name)).toEqual(['supervise']);
  });

  it('is alerted once by two supervisors at once, and by an event that comes twice', async () => {
    await pass(60 * 24 + 70, without(`drift-${MODEL}`));
    all.clock.at += 15 * MINUTE;
    for (const name of without(`drift-${MODEL}`)) {
      const { kind, model } = schedules.find((each) => each.name === name) ?? { kind: 'reconcile' };
      await ran(kind, model);
    }
    await Promise.all([round(), round(), round()]);
    await round();
    expect(new Set((await missed()).map(([name]) => name))).toEqual(new Set([`drift-${MODEL}`, 'supervise']));
    expect(await missed()).toHaveLength(2);
  });

  it('does not keep the others from being looked at, where what is known of it cannot be read', async () => {
    await round();
    await prod.ledger.transact(
      [{ kind: 'put', item: { ...keys.expectedRun('prod', 'reconcile'), expression: 7 } }],
      'damaged',
    );
    await pass(60 * 24 + 85, without(`drift-${MODEL}`));
    expect((await missed()).map(([name]) => name)).toEqual([`drift-${MODEL}`]);
    expect(await round()).toMatchObject({ faults: [expect.stringContaining('expected reconcile')] });
    expect(await prod.codes()).toContain('ITEM_FAILED');
  });
});

describe('a heartbeat', () => {
  const LOST = new GatehouseError('LEDGER_BUSY', 'it is out of order');
  const left = async (of: string, name: string): Promise<boolean> =>
    (await prod.ledger.get(keys.heartbeat(of, name))) !== undefined;

  it('is left by what a schedule asked for, and not by what a person did', async () => {
    const retrain = heartbeats({ ...prod, onLost: () => {} })('retrain', ok, ['trigger', 'schedule']);
    await retrain({ model: MODEL, trigger: 'operator' });
    expect(await left(MODEL, `retrain-${MODEL}`)).toBe(false);
    await retrain({ model: MODEL, trigger: 'schedule' });
    expect(await left(MODEL, `retrain-${MODEL}`)).toBe(true);
  });

  it('is not left by a task that failed, but by a round that was made to its end', async () => {
    const failing = (code: 'LEDGER_BUSY' | 'ITEMS_FAILED') =>
      heartbeats({ ...prod, onLost: () => {} })('reconcile', async () => {
        throw new GatehouseError(code, 'so it is');
      })({});
    await expect(failing('LEDGER_BUSY')).rejects.toThrow('so it is');
    expect(await left('prod', 'reconcile')).toBe(false);
    await expect(failing('ITEMS_FAILED')).rejects.toThrow('so it is');
    expect(await left('prod', 'reconcile')).toBe(true);
  });

  it('that cannot be left is told to the log, and is no fault of the work', async () => {
    const lost: unknown[] = [];
    const ledger = { ...prod.ledger, transact: () => Promise.reject(LOST) };
    const task = heartbeats({ ...prod, ledger, onLost: (error) => lost.push(error) })('probes', ok);
    await expect(task({})).resolves.toEqual({});
    expect(lost).toEqual([LOST]);
  });
});
