import { describe, expect, it } from 'vitest';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { addDays } from '#domain/data/partition.ts';
import { daysServed, gainOf, outcomeOf } from '../../bench/half-year/outcome.ts';
import type { HeldOut } from '../../bench/half-year/runs.ts';
import { type Cycle, follow, type LiveWord, type Strategy, type World } from '../../bench/half-year/strategies.ts';
import { cyclesFrom } from '../../bench/half-year/world.ts';
import { type Made, made, RULE, losses } from './_half-year.ts';

const CYCLES = cyclesFrom('2001-01-01', 4, '2001-01-27');

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
