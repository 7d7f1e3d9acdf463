import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { FeatureWork } from '#domain/data/feature-work.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { aggregatesFor } from '#domain/prediction/aggregates.ts';
import { BatchPlan } from '#domain/prediction/manifest.ts';
import { advancePointer } from '#domain/promotion/pointer.ts';
import { execute } from '#local/statemachines/interpreter.ts';
import { readDocument } from '#ports/documents.ts';
import type { BuiltKind } from '#ports/lake.ts';
import { findAggregates, readAggregates } from '#read-model/aggregates.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { readPointer } from '#read-model/pointer.ts';
import { writeRefusals } from '#use-cases/data/batch-refusals.ts';
import { planReconciliation, PlanReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { reportRun } from '#use-cases/inference/report-run.ts';
import type { Task } from '#use-cases/task.ts';
import { admitDays } from './_admitted.ts';
import { bytes, definition, type Environment, MODEL, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

const online: ModelDefinition = {
  ...definition,
  features: { ...definition.features, aggregateDays: 2 },
  online: {
    context: [],
    maxRows: 100,
    maxAggregateAgeDays: 2,
    objectiveMs: 1000,
    pointerMaxAgeSeconds: 5,
    retentionDays: 30,
  },
};
const otherSql: ModelDefinition = {
  ...online,
  features: { ...online.features, daily: { path: 'features/daily.sql', sha256: digestOf('SELECT other') } },
};

let prod: Environment;
let first: Digest;
beforeEach(async () => {
  prod = world().environment('prod');
  await admitDays(prod.ledger, '2001-01-10', '2001-01-15');
  first = await release('first', online);
  await serve(first);
});

const release = (text: string, of: ModelDefinition): Promise<Digest> =>
  makeRelease(prod.releases, text, 'trained', { definition: of, sql: SQL, onnx: bytes(`MODEL ${text}`) });

/** Points at a release, with the one before as what a rollback would serve. */
async function serve(current: Digest): Promise<void> {
  const previous = await readPointer(prod.ledger, MODEL);
  const next = { model: MODEL, environment: 'prod', current, version: '0.1.1', fencingToken: 1, writtenBy: 'test' };
  const confirmed = previous === undefined ? [] : [{ release: previous.current, version: previous.version }];
  const pointer = advancePointer(previous, { ...next, at: prod.clock.now().toISOString() }, confirmed);
  await prod.ledger.transact([{ kind: 'put', item: { ...keys.pointer(MODEL), ...pointer } }], `serve ${pointer.seq}`);
}

type Planned = z.output<typeof PlanReconciliation.output>;

async function plan(run: string): Promise<Planned & { readonly status: 'planned' }> {
  const planned = PlanReconciliation.output.parse(await planReconciliation(prod)({ model: MODEL, run }));
  if (planned.status !== 'planned') throw new Error(planned.status);
  return planned;
}

/** Puts a stand-in for what is built into the lake. */
async function store(kind: BuiltKind, digests: readonly Digest[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const path = join(folder, 'built.parquet');
  await writeFile(path, 'built');
  for (const digest of digests)
    await prod.lake.store(kind, MODEL, digest, { path, sha256: digestOf('built'), rows: 1 });
  await rm(folder, { recursive: true });
}

/** Builds the daily aggregates that a plan asks for but some, and says which days it was asked for. */
async function build({ dailyBatches }: Planned, but: readonly string[] = []): Promise<readonly string[]> {
  const [batch] = dailyBatches;
  if (batch === undefined) return [];
  const { daily } = await readDocument(prod.documents, FeatureWork, batch.work);
  await store(
    'daily',
    daily.filter(({ day }) => !but.includes(day)).map(({ digest }) => digest),
  );
  return daily.map(({ day }) => day);
}

const cause = { rule: 'feature-sql-runs', found: 'a column is not there', remedy: 'mend the SQL' } as const;

/** Runs a batch whose machine builds the daily aggregates, but some, which are refused, and has everything scored. */
async function batch(run: string, but: readonly string[] = []) {
  let planned: Planned | undefined;
  const report = reportRun(prod);
  const none: Task = async () => ({ status: 'built', refused: null });
  const tasks: Record<string, Task> = {
    'Plan reconciliation': async () => (planned = await plan(run)),
    'Build daily partition': async () => {
      const asked = planned === undefined ? [] : await build(planned, but);
      const refusals = asked.filter((day) => but.includes(day)).map((day) => ({ day, ...cause }));
      return { status: 'built', refused: await writeRefusals(prod.documents, refusals) };
    },
    'Build feature partition': none,
    'Score partition': async () => {
      if (planned?.status !== 'planned') throw new Error('nothing is planned');
      const { partitions } = await readDocument(prod.documents, BatchPlan, planned.plan);
      await store(
        'predictions',
        partitions.map(({ predictions }) => predictions),
      );
      return { status: 'scored', refused: null };
    },
    'Publish predictions': publishPredictions(prod),
    'Report run': report,
    'Report idle run': report,
  };
  return execute('batch-inference', { model: MODEL, run, trigger: 'schedule' }, async ({ state, payload }) =>
    JSON.parse(JSON.stringify(await tasks[state]?.(payload['input']))),
  );
}

const published = (of = online) => findAggregates(prod.ledger, MODEL, aggregateBasis(of));
const days = async (of = online): Promise<readonly string[] | undefined> =>
  (await readAggregates(prod.ledger, prod.documents, MODEL, aggregateBasis(of)))?.days.map(({ day }) => day);

/** What records say of what was published. */
const recorded = async () =>
  (await prod.chain()).filter(({ code }) => code === 'PREDICTIONS_PUBLISHED').map(({ details }) => details);
const runItem = (run: string) => prod.ledger.get(keys.run(MODEL, run));

/** A list that a promotion publishes. */
async function promotes(): Promise<Digest> {
  const basis = aggregateBasis(online);
  const list = digestOf('a list of a promotion');
  const said = { formatVersion: 1, model: MODEL, basis, list, until: '2001-01-15', run: 'promotion', epoch: 1 };
  const item = { ...keys.aggregates(MODEL, basis), ...said, publishedAt: prod.clock.now().toISOString() };
  await prod.ledger.transact([{ kind: 'put', item }], 'promotion');
  return list;
}

describe('the list of daily aggregates that endpoints load', () => {
  it('goes back from the newest day as far as features of that day do, and is built up to that day itself', async () => {
    const planned = await plan('run-1');
    // Features of the last three days look back to the 11th and forward to the 14th; the 15th is for the endpoint alone.
    expect(await build(planned)).toContain('2001-01-15');
    await publishPredictions(prod)({ model: MODEL, plan: planned.plan });
    expect(await days()).toEqual(['2001-01-13', '2001-01-14', '2001-01-15']);
    expect(await published()).toMatchObject({ until: '2001-01-15', run: 'run-1', epoch: 1 });
    const list = await readAggregates(prod.ledger, prod.documents, MODEL, aggregateBasis(online));
    const seen = (day: string) => aggregatesFor(list?.days ?? [], day, online).map((each) => each.day);
    expect(seen('2001-01-15')).toEqual(['2001-01-13', '2001-01-14']);
    expect(seen('2001-01-16')).toEqual(['2001-01-14', '2001-01-15']);
    expect(seen('2001-01-17')).toEqual(['2001-01-15']);
  });

  it("is written with the audit record of the run, under the run's fence and the pointer's epoch", async () => {
    const planned = await plan('run-1');
    await build(planned);
    await plan('run-2');
    expect(await publishPredictions(prod)({ model: MODEL, plan: planned.plan })).toMatchObject({ status: 'withdrawn' });
    expect(await published()).toBeUndefined();
    const newer = await plan('run-3');
    await publishPredictions(prod)({ model: MODEL, plan: newer.plan });
    const records = [...prod.ledger.items.values()].filter(({ pk }) => pk.startsWith('CHAIN#'));
    expect(JSON.stringify(records.at(-1))).toContain(`AGGREGATES#${MODEL}`);
  });

  it('ends before a day that is not built or cannot be aggregated yet', async () => {
    await batch('run-1', ['2001-01-15']);
    expect(await days()).toEqual(['2001-01-13', '2001-01-14']);
    await admitDays(prod.ledger, '2001-01-17', '2001-01-17');
    await batch('run-2');
    // The 16th was never admitted.
    // So the list is of the day before it, with all that its features look back on.
    expect(await days()).toEqual(['2001-01-13', '2001-01-14', '2001-01-15']);
  });

  it('is brought up to date by a run that has nothing to score, once', async () => {
    await batch('run-1', ['2001-01-15']);
    expect((await batch('run-2')).document['planned']).toMatchObject({ kind: 'aggregates', partitions: 0 });
    expect(await days()).toEqual(['2001-01-13', '2001-01-14', '2001-01-15']);
    const { path, document } = await batch('run-3');
    expect(path).toContain('Report idle run');
    expect(document['planned']).toMatchObject({ kind: 'none' });
    expect(await published()).toMatchObject({ run: 'run-2' });
    expect(await recorded()).toMatchObject([
      { kind: 'full', lists: { published: 1, kept: 0 } },
      { kind: 'aggregates', lists: { published: 1, kept: 0 } },
      { kind: 'none' },
    ]);
  });

  it('is kept for the release that a rollback would serve, whose daily SQL is another', async () => {
    await batch('run-1');
    await serve(await release('second', otherSql));
    await batch('run-2');
    await admitDays(prod.ledger, '2001-01-15', '2001-01-16', { mark: 'corrected' });
    await batch('run-3');
    expect([await days(otherSql), await days()]).toEqual([
      ['2001-01-14', '2001-01-15', '2001-01-16'],
      ['2001-01-14', '2001-01-15', '2001-01-16'],
    ]);
    prod.releases.objects.delete(first);
    await admitDays(prod.ledger, '2001-01-16', '2001-01-17', { mark: 'again' });
    await batch('run-4');
    expect((await published(otherSql))?.until).toBe('2001-01-17');
    expect((await published())?.until).toBe('2001-01-16');
  });

  it('is shared by releases of one daily SQL, and not there for a model without an endpoint', async () => {
    await batch('run-1');
    await serve(await release('second', { ...online, owner: 'others' }));
    expect(await published({ ...online, owner: 'others' })).toMatchObject({ until: '2001-01-15' });
    const other = world().environment('prod');
    await admitDays(other.ledger, '2001-01-10', '2001-01-15');
    prod = other;
    await serve(await release('batch only', definition));
    const planned = await plan('run-1');
    await build(planned);
    await publishPredictions(prod)({ model: MODEL, plan: planned.plan });
    expect(await prod.ledger.query(`AGGREGATES#${MODEL}`)).toEqual([]);
  });
});

describe('a list that was published since a run was planned', () => {
  it.each(['before the run reads it', 'after the run reads it'])('stays, and the run says so: %s', async (when) => {
    await batch('run-1');
    await admitDays(prod.ledger, '2001-01-15', '2001-01-16', { mark: 'corrected' });
    const planned = await plan('run-2');
    await build(planned);
    const { partitions, aggregates } = await readDocument(prod.documents, BatchPlan, planned.plan);
    expect(aggregates).toMatchObject([{ replaces: (await published())?.list }]);
    await store(
      'predictions',
      partitions.map(({ predictions }) => predictions),
    );
    let list = when.startsWith('before') ? await promotes() : undefined;
    const { ledger } = prod;
    const transact: typeof ledger.transact = async (writes, token) => {
      list ??= await promotes();
      return ledger.transact(writes, token);
    };
    const publication = await publishPredictions({ ...prod, ledger: { ...ledger, transact } })({
      model: MODEL,
      plan: planned.plan,
    });
    expect(publication).toMatchObject({
      status: 'published',
      published: partitions.length,
      lists: { published: 0, superseded: 1, unbuilt: [] },
    });
    expect(await published()).toMatchObject({ list, run: 'promotion' });
    expect((await recorded()).at(-1)).toMatchObject({ run: 'run-2', lists: { published: 0, kept: 1 } });
  });

  it('stays where the run has nothing but that list to publish: it records that it published nothing', async () => {
    await batch('run-1', ['2001-01-15']);
    const planned = await plan('run-2');
    expect(planned.kind).toBe('aggregates');
    await build(planned);
    const list = await promotes();
    const before = await recorded();
    const publication = await publishPredictions(prod)({ model: MODEL, plan: planned.plan });
    expect(publication).toEqual({ status: 'kept', lists: { published: 0, superseded: 1, unbuilt: [] } });
    expect(await published()).toMatchObject({ list });
    expect(await recorded()).toEqual(before);
    const steps = { daily: [], features: [], scored: [] };
    await reportRun(prod)({ model: MODEL, run: 'run-2', trigger: 'test', planned, ...steps, publication });
    expect(await runItem('run-2')).toMatchObject({
      status: 'up-to-date',
      published: 0,
      lists: { published: 0, superseded: 1, unbuilt: [] },
    });
    expect(await recorded()).toEqual(before);
  });
});

describe('a run with a day of aggregates that is refused', () => {
  it('publishes none and records none, says which day and why, and alerts once', async () => {
    await batch('run-1');
    await admitDays(prod.ledger, '2001-01-15', '2001-01-15', { mark: 'corrected' });
    const before = await published();
    await batch('run-2', ['2001-01-15']);
    expect(await published()).toEqual(before);
    const records = await recorded();
    for (const run of ['run-3', 'run-4']) {
      expect((await batch(run, ['2001-01-15'])).document['planned']).toMatchObject({ kind: 'aggregates' });
      expect(await runItem(run)).toMatchObject({
        status: 'blocked',
        published: 0,
        lists: { published: 0, superseded: 0, unbuilt: ['2001-01-15'] },
        blocked: [{ day: '2001-01-15', ...cause }],
      });
    }
    expect(await published()).toEqual(before);
    expect(await recorded()).toEqual(records);
    expect(records.at(-1)).toMatchObject({ run: 'run-2', lists: { published: 0, kept: 1 } });
    expect((await prod.codes()).filter((code) => code === 'PREDICTIONS_BLOCKED')).toHaveLength(1);
    expect(await readOpenRefusals(prod.ledger, MODEL)).toMatchObject([{ day: '2001-01-15', rule: cause.rule }]);
    await batch('run-5');
    expect(await published()).toMatchObject({ run: 'run-5', until: '2001-01-15' });
    expect(await runItem('run-5')).toMatchObject({ status: 'published', lists: { published: 1 } });
    expect(await readOpenRefusals(prod.ledger, MODEL)).toEqual([]);
  });

  it('publishes the days before it where they are newer than what is published', async () => {
    await batch('run-1');
    await admitDays(prod.ledger, '2001-01-15', '2001-01-17', { mark: 'again' });
    await batch('run-2', ['2001-01-17']);
    expect(await published()).toMatchObject({ run: 'run-2', until: '2001-01-16' });
    expect(await runItem('run-2')).toMatchObject({ lists: { published: 1, unbuilt: ['2001-01-17'] } });
    // The list of the days before it is there: the next run publishes nothing.
    const records = await recorded();
    await batch('run-3', ['2001-01-17']);
    expect(await published()).toMatchObject({ run: 'run-2' });
    expect(await recorded()).toEqual(records);
  });

  it('says what it published also where its answer got lost', async () => {
    await batch('run-1', ['2001-01-15']);
    const planned = await plan('run-2');
    await build(planned);
    const first = await publishPredictions(prod)({ model: MODEL, plan: planned.plan });
    const records = await recorded();
    expect(await publishPredictions(prod)({ model: MODEL, plan: planned.plan })).toEqual(first);
    expect(first).toMatchObject({ status: 'published', lists: { published: 1, superseded: 0, unbuilt: [] } });
    expect(await recorded()).toEqual(records);
  });
});
