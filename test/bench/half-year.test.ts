import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { addDays } from '#domain/data/partition.ts';
import { DEFAULT_SCHEDULE, FAULT_KINDS, parseSchedule } from '../../bench/half-year/faults.ts';
import { hindsight } from '../../bench/half-year/hindsight.ts';
import type { HalfYearLake } from '../../bench/half-year/lake.ts';
import { measureServed } from '../../bench/half-year/live.ts';
import { stopwatch } from '../../bench/half-year/chunks.ts';
import { type DaySums, type Pair, pairsOf, tryGain, tryIdentical } from '../../bench/half-year/studies.ts';
import { made, RULE, losses } from './_half-year.ts';

describe('the schedule of faults', () => {
  it('has one of each kind in odd weeks', () => {
    const schedule = parseSchedule(DEFAULT_SCHEDULE, 22);
    expect([...schedule.values()].toSorted()).toEqual(FAULT_KINDS.toSorted());
    expect([...schedule.keys()].every((week) => week % 2 === 1)).toBe(true);
  });

  it.each(['3:nothing', '0:kilometres', '23:kilometres', '3:kilometres,3:constant-model', 'kilometres'])(
    'refuses %s, and says what is allowed',
    (text) => {
      expect(() => parseSchedule(text, 22)).toThrow(/allowed/);
    },
  );

  it('may be empty', () => {
    expect(parseSchedule('', 22).size).toBe(0);
  });
});

describe('what was served', () => {
  const at = (hours: number): number => Date.parse('2001-02-01T00:00:00Z') + hours * 3_600_000;
  const day = {
    truth: {
      day: '2001-02-01',
      late: Uint8Array.of(1, 0, 0),
      arrivedAt: Float64Array.of(at(30), at(40), at(50)),
      entity: ['A', 'B', 'A'],
    },
    champion: Float64Array.of(0.5, 0.5, 0.5),
    candidate: Float64Array.of(0.25, 0.5, 0.75),
  };

  it('counts with the labels that had arrived, by each entity’s days', () => {
    const measure = measureServed([day], at(45), 'entity-day');
    expect(measure).toMatchObject({ featureRows: 3, comparedRows: 2, unlabelled: 1, greatestDifference: 0.25 });
    expect(measure.clusters.map(({ cluster, rows, positives }) => [cluster, rows, positives])).toEqual([
      ['A 2001-02-01', 1, 1],
      ['B 2001-02-01', 1, 0],
    ]);
    expect(measure.clusters[0]?.candidate).toEqual({ logLoss: Math.log(4), brier: 0.5625, predicted: 0.25 });
  });

  it('is nothing before any label has arrived', () => {
    expect(measureServed([day], at(0), 'day')).toMatchObject({
      clusters: [],
      comparedRows: 0,
      greatestDifference: null,
    });
  });
});

describe('trials of the comparison', () => {
  const days = (scale: number): DaySums[] =>
    Array.from({ length: 70 }, (_, index) => ({
      day: addDays('2001-01-01', index),
      rows: 1000,
      positives: 100,
      predicted: 100,
      // Days differ, and a little of it is the release's own.
      logLoss: scale * (300 + 20 * Math.sin(index) + Math.sin(7 * index * scale)),
      brier: 90,
      cost: 0,
    }));
  const pairs: Pair[] = [{ champion: days(1), candidate: days(1.1) }];

  it('see a gain that is there, and none that is not', () => {
    const none = tryGain(pairs, RULE, { made: 'as they are', days: 14, gain: 0, minimumImprovement: 0.01 });
    expect(none).toMatchObject({ trials: 9, promoted: 0 });
    for (const made of ['exchanged', 'as they are'] as const)
      expect(tryGain(pairs, RULE, { made, days: 14, gain: 0.03, minimumImprovement: 0.005 }).promoted).toBe(9);
  });

  it('never promote what is identical', () => {
    expect(tryIdentical(pairs, RULE, 14)).toMatchObject({ trials: 9, promoted: 0, provisional: 0 });
  });

  it('pair a release with older ones that share enough days', () => {
    const pool = [made(1, 0.3), made(2, 0.3), made(9, 0.3)];
    const after = (week: number): string[] =>
      Array.from({ length: 7 * (12 - week) }, (_, index) => addDays('2001-01-01', index));
    expect(pairsOf(pool, after, losses).map(({ champion }) => champion.length)).toEqual([70]);
  });
});

describe('a run that was stopped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'half-year-'));
  const release = {
    id: digestOf('release'),
    title: 'week 2',
    week: 2,
    model: { digest: digestOf('release'), file: 'none', rows: 1, positives: 1 },
  };

  it('goes on with what it knew, and scores only what it did not', async () => {
    const asked: string[][] = [];
    const lake = {
      folder,
      clean: { partitions: [], rows: new Map() },
      features: async (_: unknown, days: readonly string[]) => {
        asked.push([...days]);
        return Promise.reject(new Error('nothing is there to be scored'));
      },
    } as unknown as HalfYearLake;
    const kept = join(folder, 'losses-5-1');
    mkdirSync(kept);
    writeFileSync(
      join(kept, `${release.id.slice('sha256:'.length)}.json`),
      JSON.stringify({ '2001-02-05': losses(made(2, 0.3), '') }),
    );
    const past = hindsight(lake, new Map(), { miss: 5, falseAlarm: 1 });
    await past.know([{ release, days: ['2001-02-05'] }]);
    expect(past.losses(release, '2001-02-05').logLoss).toBeCloseTo(30, 12);
    await expect(
      past.know([
        { release, days: ['2001-02-06', '2001-02-05'] },
        { release, days: ['2001-02-06'] },
      ]),
    ).rejects.toThrow('nothing is there');
    expect(asked).toEqual([['2001-02-06']]);
    expect(() => past.losses(release, '2001-02-06')).toThrow('nobody asked what week 2 loses on 2001-02-06');
  });

  it('adds up what it took', () => {
    const file = join(folder, 'spent.json');
    writeFileSync(file, JSON.stringify({ seconds: 100, ended: null }));
    const first = stopwatch(file).end();
    expect(first).toBeGreaterThanOrEqual(100);
    expect(stopwatch(file).end()).toBe(first);
  });
});
