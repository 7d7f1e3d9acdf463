import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { addDays } from '#domain/data/partition.ts';
import { comparisonRule } from '#test/domain/policy/_rule.ts';
import { DEFAULT_SCHEDULE, FAULT_KINDS, parseSchedule } from '../../bench/half-year/faults.ts';
import { hindsight } from '../../bench/half-year/hindsight.ts';
import type { HalfYearLake } from '../../bench/half-year/lake.ts';
import { measureServed } from '../../bench/half-year/live.ts';
import { daysServed, gainOf, type Losses, outcomeOf } from '../../bench/half-year/outcome.ts';
import { stopwatch } from '../../bench/half-year/chunks.ts';
import type { HeldOut } from '../../bench/half-year/runs.ts';
import { type Cycle, follow, type LiveWord, type Strategy, type World } from '../../bench/half-year/strategies.ts';
import { type DaySums, type Pair, pairsOf, tryGain, tryIdentical } from '../../bench/half-year/studies.ts';
import { cyclesFrom } from '../../bench/half-year/world.ts';

/** A release that loses so much per row, on the held-out days and while it serves. */
interface Made {
  readonly id: string;
  readonly week: number;
  readonly tested: number;
  readonly live: number;
}

const made = (week: number, tested: number, live = tested): Made => ({ id: `r${week}`, week, tested, live });
const CYCLES = cyclesFrom('2001-01-01', 4, '2001-01-27');
const RULE = comparisonRule({ provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } });
const losses: Losses<Made> = ({ live }) => ({
  rows: 100,
  positives: 10,
  predicted: 10,
  logLoss: 100 * live,
  brier: 9,
  cost: 30,
});

/** Two weeks of held-out days on which the candidate saves the same share of each day, give or take a little. */
function heldOut(champion: Made, candidate: Made): HeldOut {
  const clusters = Array.from({ length: 14 }, (_, index) => {
    const of = (loss: number) => ({ logLoss: 100 * loss, brier: 9, predicted: 10 });
    const noise = (index % 2 === 0 ? 1 : -1) * 0.0005;
    const cluster = addDays('2001-01-01', index);
    return {
      cluster,
      rows: 100,
      positives: 10,
      champion: of(champion.tested),
      candidate: of(candidate.tested + noise),
    };
  });
  const side = { rows: 1400, duplicates: 0, notANumber: 0, outOfRange: 0, hard: 0, unmatched: 0, missing: 0 };
  const counts = { ...side, lowest: 0, highest: 1, deviation: 0.1, auc: null, averagePrecision: null, pairs: null };
  const measure: ComparisonMeasure = {
    formatVersion: 2,
    clusterColumn: 'day',
    clusters,
    slices: [],
    flaws: [],
    comparedRows: 1400,
    featureRows: 1400,
    duplicateFeatures: 0,
    unlabelled: 0,
    duplicateLabels: 0,
    otherLabels: 0,
    champion: counts,
    candidate: counts,
    greatestDifference: champion.id === candidate.id ? 0 : 0.5,
  };
  const z = (champion.tested - candidate.tested) / 0.001;
  return { measure, byRows: { rows: 1400, champion: champion.tested, candidate: candidate.tested, z } };
}

function world(
  offers: Readonly<Record<number, { release: Made; fault?: string; dataFlaws?: readonly string[] }>>,
  judge: (served: Made, days: number) => LiveWord = () => ({ verdict: 'WAIT', by: 'too-early', reason: 'too early' }),
): World<Made> {
  return {
    cycles: CYCLES,
    first: made(1, 0.3),
    offer: async ({ week }) => {
      const offer = offers[week];
      return offer === undefined ? undefined : { dataFlaws: [], ...offer };
    },
    heldOut: async ({ week }, champion) => heldOut(champion, offers[week]?.release ?? champion),
    judge: async (served, _shadow, since, day) => judge(served, (Date.parse(day) - Date.parse(since)) / 86_400_000),
  };
}

const strategy = (decides: Strategy['decides'], more: Partial<Strategy> = {}): Strategy => ({
  name: decides,
  decides,
  ...more,
});
const acted = async (of: Strategy, into: World<Made>): Promise<string[]> =>
  (await follow(of, RULE, into)).acts.map(({ kind, week, release }) => `${week} ${kind} ${release.id}`);

describe('strategies', () => {
  const worse = world({
    2: { release: made(2, 0.31) },
    3: { release: made(3, 0.2995) },
    4: { release: made(4, 0.28) },
  });

  it('decide by what each of them looks at', async () => {
    expect(await acted(strategy('never'), worse)).toEqual(['2 refused r2', '3 refused r3', '4 refused r4']);
    expect(await acted(strategy('newest'), worse)).toEqual(['2 promoted r2', '3 promoted r3', '4 promoted r4']);
    expect(await acted(strategy('holdout'), worse)).toEqual(['2 refused r2', '3 promoted r3', '4 promoted r4']);
    expect(await acted(strategy('rows'), worse)).toEqual(['2 refused r2', '3 refused r3', '4 promoted r4']);
    expect(await acted(strategy('gates'), worse)).toEqual(['2 refused r2', '3 refused r3', '4 promoted r4']);
  });

  it('promoted what is likely only where they know a probation', async () => {
    const likely = world({ 2: { release: made(2, 0.2991) } });
    expect(await acted(strategy('gates'), likely)).toEqual(['2 refused r2']);
    const { acts } = await follow(strategy('gates', { provisional: true, live: true }), RULE, likely);
    expect(acts).toMatchObject([{ kind: 'promoted', provisional: true }]);
  });

  it('refuse data that is off, whatever the model says, where they look at it', async () => {
    const flawed = world({ 2: { release: made(2, 0.28), dataFlaws: ['half of the rows'] } });
    expect(await acted(strategy('gates'), flawed)).toEqual(['2 refused r2']);
    expect(await acted(strategy('holdout'), flawed)).toEqual(['2 promoted r2']);
  });

  it('never promote what is the same', async () => {
    const same = { ...made(1, 0.3) };
    expect(await acted(strategy('gates', { provisional: true, live: true }), world({ 2: { release: same } }))).toEqual([
      '2 refused r1',
    ]);
  });

  it('roll back on the day on which labels tell, and never promoted it again', async () => {
    const bad = made(2, 0.28, 0.4);
    const judge = (served: Made, days: number): LiveWord => ({
      verdict: served.id === 'r2' && days >= 3 ? 'ROLL_BACK' : 'WAIT',
      by: 'fast',
      reason: 'worse',
    });
    const into = world({ 2: { release: bad }, 3: { release: bad } }, judge);
    const course = await follow(strategy('gates', { live: true }), RULE, into);
    expect(course.acts).toMatchObject([
      { kind: 'promoted', day: '2001-01-08' },
      { kind: 'rolled back', day: '2001-01-11', since: '2001-01-08' },
      { kind: 'refused', reason: 'it was rolled back before' },
    ]);
    expect(course.served.get('2001-01-10')?.id).toBe('r2');
    expect(course.served.get('2001-01-11')?.id).toBe('r1');
    expect(await acted(strategy('gates'), into)).not.toContain('2 rolled back r2');
  });

  it('have one release on probation at a time', async () => {
    const offers = world({ 2: { release: made(2, 0.29) }, 3: { release: made(3, 0.28) } });
    const { acts } = await follow(strategy('gates', { live: true }), RULE, offers);
    expect(acts).toMatchObject([{ kind: 'promoted' }, { kind: 'refused', reason: 'another release is on probation' }]);
  });
});

describe('hindsight', () => {
  const [first, second] = [made(1, 0.3), made(2, 0.3, 0.24)];
  const poolOf = ({ week }: Cycle): Made[] => (week < 2 ? [first] : [first, second]);

  it('measures regret against the best release of each week', async () => {
    const never = await follow(strategy('never'), RULE, world({ 2: { release: second } }));
    const outcome = outcomeOf(never, CYCLES, losses, poolOf);
    // Seven days at 0.30, then twenty at 0.24 in hindsight.
    expect(outcome.regret).toBeCloseTo((27 * 0.3) / (7 * 0.3 + 20 * 0.24) - 1, 12);
    expect(outcome).toMatchObject({ promotions: 0, bad: 0, missed: 1, rollbacks: 0, daysToRecover: [] });
    expect(outcome.logLoss).toBeCloseTo(0.3, 12);
    expect(outcome.cost).toBeCloseTo(300, 12);
  });

  it('counts bad promotions and the days that they were served', async () => {
    const worse = made(2, 0.3, 0.33);
    const course = await follow(
      strategy('newest'),
      RULE,
      world({ 2: { release: worse }, 3: { release: made(3, 0.3) } }),
    );
    const outcome = outcomeOf(course, CYCLES, losses, () => [first]);
    expect(outcome).toMatchObject({ promotions: 2, bad: 1, daysToRecover: [7] });
    expect(gainOf(worse, first, ['2001-01-08'], losses)).toBeCloseTo(-0.1, 12);
    expect(daysServed({ day: '2001-01-15', release: made(3, 0.3) }, course.served)).toBe(13);
  });
});

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
