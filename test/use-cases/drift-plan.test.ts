import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { FeatureWork } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { StabilityPlan } from '#domain/drift/drift-work.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { admitDays } from './_admitted.ts';
import { definition, MODEL } from './_environments.ts';
import { here, prod, begin, serve, check, planOf } from './_drift.ts';
import { day } from './_watched.ts';

beforeEach(begin);

describe('what a check reads', () => {
  it('compares the newest published day with the days that the release was trained on', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(-2), day(9));
    const plan = planOf(await check(day(10)));
    expect(plan).toMatchObject({ release, stability: { day: day(9) } });
    const work = parseCanonical(StabilityPlan, await prod.documents.read(plan.stability.plan), 'plan');
    const featuresOf = featurePlanner(definition, prod.engine, await readCatalogue(prod.ledger, MODEL));
    const digests = (days: string[]) => days.map((each) => (featuresOf(each) as { digest: Digest }).digest);
    expect(work.reference).toEqual(digests(daysBetween('2001-01-10', '2001-01-14')));
    expect(work.current).toEqual(digests([day(9)]));
  });

  it('compares its losses on days whose labels have all arrived with those at its promotion', async () => {
    const { release, name } = await here.letIn('second');
    await serve(release, day(-2), day(11));
    const plan = planOf(await check(day(12)));
    expect(plan.concept).toEqual({ promotion: name, judgeableFrom: day(8) });
    const comparison = parseCanonical(
      ComparisonPlan,
      await prod.documents.read(plan.comparisons[0]?.comparison ?? digestOf('none')),
      'plan',
    );
    // The newest seven days that are mature: of the last one the labels are still arriving.
    expect(comparison.labels.map((each) => each.day)).toEqual(daysBetween(day(4), day(11)));
    expect(comparison.features).toHaveLength(7);
    expect(comparison.candidatePredictions).toEqual(comparison.championPredictions);
  });

  it('draws stored features by the day, with all that they are made from', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(9));
    const drawn = async (asOf: string, run: string) => {
      const { work } = planOf(await check(asOf, {}, prod, run)).recompute;
      const { features, daily } = parseCanonical(
        FeatureWork,
        await prod.documents.read(work ?? digestOf('none')),
        'work',
      );
      for (const item of features)
        expect(daily.map((each) => each.digest)).toEqual(expect.arrayContaining(item.daily.map((each) => each.digest)));
      return features.map((item) => item.day);
    };
    const first = await drawn(day(10), 'one');
    expect(first).toHaveLength(2);
    expect(await drawn(day(10), 'two')).toEqual(first);
    const others = await Promise.all([11, 12, 13].map((count) => drawn(day(count), `of ${count}`)));
    expect(new Set(others.flat()).size).toBeGreaterThan(2);
  });

  it('draws nothing that a correction is about to build anew', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(3), day(3));
    await admitDays(prod.ledger, day(3), day(3), { mark: ' corrected' });
    expect(planOf(await check(day(4))).recompute.work).toBeNull();
  });

  it('takes last week’s day for none of today’s', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(5));
    expect(planOf(await check(day(7), {}, prod, 'late')).stability.day).toBe(day(5));
    expect(planOf(await check(day(8))).stability.day).toBeNull();
  });
});
