import { beforeEach, describe, expect, it } from 'vitest';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { canonicalJson, type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { FeatureWork } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { StabilityPlan } from '#domain/drift/drift-work.ts';
import type { DriftEvidence } from '#domain/drift/judge-drift.ts';
import { textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { DIFFERENT, DRIFT, HEALTHY, lost, moved } from '#test/domain/drift/_evidence.ts';
import { execute, TaskError } from '#local/statemachines/interpreter.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { judgeDrift } from '#use-cases/drift/judge-drift.ts';
import { planDriftCheck } from '#use-cases/drift/plan-drift-check.ts';
import type { Task } from '#use-cases/task.ts';
import { rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import {
  admitDays,
  bytes,
  definition,
  deployed,
  type Environment,
  MODEL,
  policy,
  SQL,
  publishRecords,
} from './_environments.ts';

/** The day as of which releases are promoted here. */
const FROM = '2001-01-20';
const day = (count: number): string => addDays(FROM, count);
const watching: Policy = { ...policy, drift: DRIFT };
const under = (own: Environment, by: Policy): Environment => ({
  ...own,
  deployed: { ...deployed, models: [{ definition, policy: by, sql: { ...SQL }, expectations: {} }] },
});

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
beforeEach(async () => {
  here = await scene();
  prod = under(here.prod, watching);
  await here.begin(prod);
  await admitDays(prod.ledger, '2001-01-25', day(14), { mark: ' later' });
});

/** Publishes predictions of a release for some days, of the features that would be built now. */
async function serve(release: Digest, first: string, last: string): Promise<void> {
  const featuresOf = featurePlanner(definition, prod.engine, await readCatalogue(prod.ledger, MODEL));
  for (const each of daysBetween(first, last)) {
    const plan = featuresOf(each);
    if (!plan.ready) throw new Error(`no features of ${each}`);
    const manifest = {
      formatVersion: 1,
      model: MODEL,
      day: each,
      features: plan.digest,
      release,
      scorer: prod.scorer,
      schema: digestOf('schema'),
      object: { bucket: 'lake', key: each, versionId: '1', sha256: digestOf(each), size: 1 },
      rows: 10,
      lineage: null,
      run: 'run',
      epoch: 2,
      publishedAt: prod.clock.now().toISOString(),
    };
    await prod.ledger.transact([{ kind: 'put', item: { ...keys.prediction(MODEL, each), ...manifest } }], each);
  }
}

/** A check by its machine as of a day: everything is real but what DuckDB would have measured. */
async function check(
  asOf: string,
  found: Partial<DriftEvidence> & { readonly unmeasured?: string } = {},
  own = prod,
  run = `drift-${asOf}`,
) {
  const metrics = memoryMetrics();
  const { stability, concept, parity } = { ...HEALTHY, ...found };
  const stored = async (measure: object | null): Promise<Digest | null> =>
    measure === null ? null : (await own.documents.write(bytes(canonicalJson(measure)))).digest;
  const live = await stored(concept.live);
  const tasks: Record<string, Task> = {
    'Plan drift check': planDriftCheck(own),
    'Build daily partition': async () => ({ status: 'built' }),
    'Build feature partition': async () => ({ status: 'built' }),
    'Measure stability': async () => ({
      status: 'measured',
      measure: await stored(stability.measure),
      reason: stability.reason,
    }),
    'Measure comparison': async () => ({
      comparisons: live === null ? [] : [{ slice: 'live', measure: live }],
      ...(found.unmeasured === undefined ? {} : { status: 'insufficient', reasons: [found.unmeasured] }),
    }),
    'Recompute features': async () => parity,
    // Twenty minutes after it was planned.
    'Judge drift': judgeDrift({
      ...own,
      metrics,
      clock: { now: () => new Date(own.clock.now().getTime() + 20 * 60_000) },
    }),
    'Record failure': recordRunFailure(own),
  };
  const done = await execute(
    'drift',
    { model: MODEL, asOf },
    async ({ state, payload }) => {
      const task = tasks[state];
      if (task === undefined) throw new Error(`no task "${state}"`);
      try {
        return JSON.parse(JSON.stringify(await task(payload['input']))) as unknown;
      } catch (error) {
        throw new TaskError('Runtime.HandlerError', error instanceof Error ? error.message : String(error));
      }
    },
    run,
  );
  return { ...done, ending: done.path.at(-1), metrics: metrics.emitted };
}

interface Plan {
  readonly release: Digest;
  readonly stability: { readonly plan: Digest; readonly day: string | null };
  readonly comparisons: readonly { readonly comparison: Digest }[];
  readonly concept: object;
  readonly recompute: { readonly work: Digest | null };
}
const planOf = ({ document }: { readonly document: Record<string, unknown> }) => document['plan'] as Plan;
const checked = async () =>
  (await prod.chain())
    .filter(({ code }) => code === 'DRIFT_CHECKED')
    .map((record) => detailsOf(record, 'DRIFT_CHECKED'));

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

describe('what a check says', () => {
  it('records that all is stable, emits its numbers, and tells nobody', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(11));
    const { ending, metrics } = await check(day(12), { concept: { ...HEALTHY.concept, live: lost(0.44, 7) } });
    expect(ending).toBe('Stable');
    expect((await checked())[0]).toMatchObject({
      status: 'stable',
      inputs: 'stable',
      concept: 'stable',
      disagreement: 'none',
      parity: 'same',
      day: day(11),
      worst: { input: 'y', index: 0.02 },
      limit: 0.1,
    });
    expect(metrics).toEqual([
      [
        { environment: 'prod', model: MODEL },
        { DriftChecks: 1, StableInputIndex: 0.02 },
      ],
    ]);
    const item = await prod.ledger.get(keys.run(MODEL, `drift-${day(12)}`));
    // From plan to judgement, as `run list` shows it.
    if (item === undefined) throw new Error('the run is not recorded');
    const lasted = Date.parse(textOf(item, 'endedAt')) - Date.parse(textOf(item, 'startedAt'));
    expect(lasted).toBe(20 * 60_000);
    expect(item).toMatchObject({
      machine: 'drift',
      status: 'stable',
      drift: { limits: { index: 0.1 }, inputs: { measured: [{ input: 'x' }, { input: 'y' }, { input: 'rate' }] } },
    });
    await publishRecords(prod, MODEL);
    expect(prod.announcements.alerted.map(({ code }) => code)).not.toContain('DRIFT_CHECKED');
  });

  it.each([
    ['Drifted', { stability: { measure: moved({ x: 0.38, y: 0 }), reason: '' } }],
    ['Skewed', { parity: DIFFERENT }],
    ['Insufficient', { stability: { measure: null, reason: 'no predictions of a fresh day are published' } }],
  ])('ends in %s, and tells people', async (ending, found) => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(1));
    const done = await check(day(2), found);
    expect(done.ending).toBe(ending);
    const record = (await prod.chain()).at(-1);
    expect(record).toMatchObject({
      code: 'DRIFT_CHECKED',
      details: { status: ending.toLowerCase(), concept: 'pending' },
    });
    await publishRecords(prod, MODEL);
    expect(prod.announcements.alerted.at(-1)).toEqual(record);
    const index =
      ending === 'Drifted' ? { StableInputIndex: 0.38 } : ending === 'Skewed' ? { StableInputIndex: 0.02 } : {};
    expect(done.metrics[0]?.[1]).toEqual({ DriftChecks: 1, ...index });
  });

  it('is insufficient for a baseline, whose loss nobody has measured', async () => {
    await serve(here.baseline, day(0), day(11));
    expect((await check(day(12))).ending).toBe('Insufficient');
    expect((await checked())[0]).toMatchObject({ inputs: 'stable', concept: 'insufficient' });
  });

  it('says why the loss could not be measured', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(11));
    const concept = { ...HEALTHY.concept, live: null };
    await check(day(12), { concept, unmeasured: 'predictions of 2001-04-02: inputs-built: no features' });
    const record = (await prod.chain()).at(-1);
    expect(record?.details).toMatchObject({
      concept: 'insufficient',
      reasons: expect.arrayContaining(['not measured: predictions of 2001-04-02: inputs-built: no features']),
    });
  });

  it('knows the promotion of what came back by a rollback', async () => {
    const { release, name } = await here.letIn('second');
    const { release: third } = await here.letIn('third', { requestSeq: 9, version: '0.1.2' });
    await rollBack(prod, { model: MODEL, rollback: 'r', actor: 'person:op', reason: 'wrong', from: third, epoch: 3 });
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
    expect(planOf(await check(day(12))).concept).toMatchObject({ promotion: name });
  });

  it('reads how far a release on probation is from its shadow, of the epoch that is served', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(1));
    const { epoch } = (await readPointer(prod.ledger, MODEL)) ?? { epoch: 0 };
    const reviewed = async (run: string, of: number, asOf: string, mean: number) => {
      const review = { disagreement: { holdout: 0.1, days: [{ day: day(1), mean }] } };
      const item = { ...keys.run(MODEL, run), run, machine: 'probation', epoch: of, asOf, status: 'wait', review };
      await prod.ledger.transact([{ kind: 'put', item }], run);
    };
    await reviewed('newest', epoch, day(2), 0.14);
    await reviewed('older', epoch, day(1), 0.1);
    await reviewed('of another epoch', epoch - 1, day(3), 0.1);
    expect((await check(day(2))).ending).toBe('Skewed');
    expect((await checked())[0]).toMatchObject({ disagreement: 'skewed', inputs: 'stable' });
  });

  it('says the same once, however often its last state is tried', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(1));
    await check(day(2));
    await check(day(2));
    expect(await checked()).toHaveLength(1);
  });

  it('looks at nothing where nothing is served, or the policy in force looks for no drift', async () => {
    const empty = here.environment('staging');
    expect((await check(day(2), {}, empty)).ending).toBe('Left unchecked');
    const other = await scene();
    await other.begin();
    const { path, document } = await check(day(2), {}, other.prod);
    expect(path.at(-1)).toBe('Left unchecked');
    expect(document['plan']).toMatchObject({ reason: 'the policy in force looks for no drift' });
  });
});
