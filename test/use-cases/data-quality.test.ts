import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { type CheckResults, DataCheckPlan, StagedData, type TrainingRows } from '#domain/data/data-check.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { DataRule } from '#domain/policy/policy.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import { checkExpectations, resultsPrefix } from '#use-cases/data-quality/check-expectations.ts';
import { judgeData } from '#use-cases/data-quality/judge-data.ts';
import { planDataCheck } from '#use-cases/data-quality/plan-data-check.ts';
import { stageData, stagePrefix } from '#use-cases/data-quality/stage-data.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { returnJobToken } from '#use-cases/retraining/return-job-token.ts';
import { JOINS } from '#test/domain/data/_joins.ts';
import { admitDays, bytes, deployed, type Environment, MODEL, world } from './_environments.ts';

const RULE: DataRule = { rowCounts: { tolerance: 0.3, weeks: 8, minimumWeeks: 1 }, leakageAuc: 0.9 };
const SUITE = canonicalJson({ name: 'suite', expectations: [{ type: 'expect_something', kwargs: {} }] });
const ROWS: TrainingRows = {
  joins: JOINS,
  events: 9,
  rows: 9,
  positives: 1,
  inputs: [{ column: 'x', missing: 0, auc: 0.6 }],
};
const FAILURE = { expectation: 'expect_something', about: 'column=x', found: '3 of 9 values, such as 99' };

let dev: Environment & { readonly files: Map<string, string> };
let rows: TrainingRows;
beforeEach(async () => {
  rows = ROWS;
  const environment = world().environment('dev');
  const [model] = deployed.models;
  if (model === undefined) throw new Error('no model');
  const own = {
    ...model,
    policy: { ...model.policy, data: RULE },
    expectations: { events: SUITE, labels: SUITE, features: SUITE },
  };
  dev = { ...environment, deployed: { ...deployed, models: [own] }, files: new Map() };
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
});

const plan = async (run: string, training: unknown = null) =>
  (await planDataCheck(dev)({ model: MODEL, run, training })) as { status: string; plan: Digest; partitions: number };
const planOf = async (digest: Digest) => parseCanonical(DataCheckPlan, await dev.documents.read(digest), 'plan');

type Items = Parameters<FeatureEngine['stagePartitions']>[0];

/** An engine that exports nothing but the words "rows", and refuses partitions in which it finds "refuse". */
const engine = {
  stagePartitions: async ({ items }: Items) =>
    Promise.all(
      items.map(async ({ files, out }) => {
        const text = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('');
        const [, rule] = /^refuse (.*)/.exec(text) ?? [];
        if (rule !== undefined) return { kind: 'refused', refusal: { rule, found: 'column x is missing', remedy: '' } };
        await writeFile(out, text);
        return { kind: 'built', rows: 9 };
      }),
    ),
  exportTrainingRows: async ({ out }: { out: string }) => {
    const files = ['2001-01-01', '2001-01-02'].map((day) => join(out, `train-${day}.parquet`));
    await mkdir(out);
    for (const file of files) await writeFile(file, 'rows');
    return { kind: 'built', rows: 9, positives: 1, files, joins: JOINS };
  },
  measureTrainingRows: async () => ({ kind: 'measured' as const, rows }),
} as unknown as FeatureEngine;

/** Where the data of a check is put. */
const putting = () => ({
  storeRows: async (key: string, path: string) => void dev.files.set(key, await readFile(path, 'utf8')),
  fetch: async () => false,
  readArtifact: async () => ({ kind: 'read' as const, files: new Map() }),
});

const stage = async (digest: Digest) => {
  const { training: about } = await planOf(digest);
  if (about !== null) {
    const { features } = parseCanonical(TrainingPlan, await dev.documents.read(about.plan), 'training plan');
    for (const { day, digest: of } of features)
      dev.lake.objects.set(`${MODEL}/features/${of}`, { content: bytes(day), sha256: digestOf(day), rows: 9 });
  }
  for (const { kind, day, objects } of (await planOf(digest)).partitions)
    for (const { key } of objects) if (!dev.lake.sources.has(key)) dev.lake.sources.set(key, bytes(`${kind} ${day}`));
  return (await stageData({ ...dev, engine, training: putting() })({ plan: digest })) as {
    status: string;
    staged?: Digest;
  };
};

/** What a job finds: every batch that was staged, with as many rows as are said, and what is not met. */
const finds = (run: string, change: (batch: CheckResults['batches'][number]) => object = () => ({})): void => {
  const batches = JSON.parse(dev.files.get(`${stagePrefix(run)}batches.json`) ?? '[]') as CheckResults['batches'];
  const results = batches.map(({ kind, day, version }) => {
    const batch = { kind, day, version, rows: 9, evaluated: 1, failures: [] };
    return { ...batch, ...change(batch) };
  });
  const found = { formatVersion: 1, greatExpectations: '1.24.1', batches: results };
  dev.checks.outputs.set(`${resultsPrefix(run)}results.json`, bytes(JSON.stringify(found, null, 1)));
};

const judge = async (planned: { plan: Digest }, staged: object, checked: object | undefined = { status: 'checked' }) =>
  (await judgeData(dev)({ plan: planned, staged, ...(checked === undefined ? {} : { checked }) })) as {
    status: string;
    reasons: string[];
    evidence: Digest;
  };

/** A whole check, whose job finds what is said. */
const check = async (run: string, training: unknown = null, change?: Parameters<typeof finds>[1]) => {
  const planned = await plan(run, training);
  const staged = await stage(planned.plan);
  finds(run, change);
  return judge(planned, staged);
};

/** What the retraining machine hands on to its check. */
const training = async () =>
  ((await planWindows(dev)({ model: MODEL, run: 'run', asOf: '2001-01-20' })) as { check: unknown }).check;

describe('a check of what has arrived', () => {
  it('looks at each version of a partition once, and again when it is corrected or the suite changes', async () => {
    expect(await plan('one')).toMatchObject({ status: 'planned', partitions: 37 });
    expect(await check('one')).toMatchObject({ status: 'PASS' });
    expect(await plan('two')).toEqual({ status: 'nothing', reasons: ['every admitted partition has been looked at'] });
    await admitDays(dev.ledger, '2001-01-05', '2001-01-05', { mark: ' corrected' });
    const again = await planOf((await plan('three')).plan);
    expect(again.partitions.map(({ kind, day, version }) => `${kind} ${day} ${version}`)).toEqual([
      'events 2001-01-05 2',
    ]);
    const [model] = dev.deployed.models;
    const other = { ...dev.deployed, models: model ? [{ ...model, expectations: { events: `${SUITE} ` } }] : [] };
    const changed = await planDataCheck({ ...dev, deployed: other })({ model: MODEL, run: 'four', training: null });
    expect(changed).toMatchObject({ status: 'planned', partitions: 19 });
  });

  it('asks nothing where the policy does not', async () => {
    const without = { ...dev, deployed };
    const planned = await planDataCheck(without)({ model: MODEL, run: 'one', training: null });
    expect(planned).toEqual({ status: 'nothing', reasons: ['the policy has no rules for data'] });
  });

  it('stages what was admitted, byte by byte, and refuses what is something else by now', async () => {
    const planned = await plan('one');
    const staged = await stage(planned.plan);
    const document = parseCanonical(StagedData, await dev.documents.read(staged.staged ?? digestOf('')), 'staged');
    expect(document).toMatchObject({ files: 37, training: null });
    const batches = JSON.parse(dev.files.get('runs/one/check/input/batches.json') ?? '[]') as { files: string[] }[];
    expect(dev.files.get(`runs/one/check/input/${batches[0]?.files[0] ?? ''}`)).toBe('events 2001-01-01');
    expect(dev.files.get('runs/one/check/input/suites/labels.json')).toBe(SUITE);
    const key = 'toy/events/dt=2001-01-03/part.parquet';
    dev.lake.sources.set(key, bytes('something else'));
    const refused = await stage(planned.plan);
    const again = parseCanonical(StagedData, await dev.documents.read(refused.staged ?? digestOf('')), 'staged');
    expect(again.refused).toMatchObject([{ kind: 'events', day: '2001-01-03', reason: expect.stringContaining(key) }]);
    expect(again.files).toBe(36);
    // The others are validated, and remembered; the one that is wrong is not looked at again for some hours.
    finds('one');
    expect(await judge(planned, refused)).toMatchObject({
      status: 'FAIL',
      reasons: [expect.stringContaining(`snapshot-hashes: ${key}`)],
    });
    expect(await plan('two')).toMatchObject({ status: 'nothing' });
    dev.clock.at += 7 * 3_600_000;
    expect(await plan('three')).toMatchObject({ status: 'planned', partitions: 1 });
  });

  it('has the job fail what features refuse, remembers it, and validates the others', async () => {
    const contents = { '2001-01-03': 'refuse columns-unique', '2001-01-04': 'refuse data-fits-in-memory' };
    for (const [day, content] of Object.entries(contents)) await admitDays(dev.ledger, day, day, { content });
    const planned = await plan('one');
    for (const { objects } of (await planOf(planned.plan)).partitions)
      for (const { key, sha256 } of objects)
        for (const content of Object.values(contents))
          if (digestOf(content) === sha256) dev.lake.sources.set(key, bytes(content));
    const staged = await stage(planned.plan);
    const batches = JSON.parse(dev.files.get('runs/one/check/input/batches.json') ?? '[]') as {
      kind: string;
      day: string;
      files: string[];
      refused?: string;
    }[];
    // What does not fit into memory is nothing that is wrong with the data: it is tried again.
    expect(batches).toHaveLength(36);
    const refusals = batches.flatMap(({ files, refused }) => (refused === undefined ? [] : [{ files, refused }]));
    const refusal = { files: [], refused: 'columns-unique: column x is missing' };
    expect(refusals).toEqual([refusal]);
    finds('one', ({ kind, day }) =>
      batches.some((each) => each.refused !== undefined && each.kind === kind && each.day === day)
        ? { rows: 0, failures: [FAILURE] }
        : {},
    );
    const { status, reasons } = await judge(planned, staged);
    expect(status).toBe('FAIL');
    expect(reasons.filter((reason) => reason.includes('data-fits-in-memory'))).toHaveLength(1);
    dev.clock.at += 7 * 3_600_000;
    expect(await plan('two')).toMatchObject({ status: 'planned', partitions: 1 });
  });

  it('validates partitions anew when the model reads their columns otherwise', async () => {
    await check('one');
    const [model] = dev.deployed.models;
    if (model === undefined) throw new Error('no model');
    const events = {
      ...model.definition.events,
      columns: { ...model.definition.events.columns, more: 'DOUBLE' as const },
    };
    const other = { ...dev.deployed, models: [{ ...model, definition: { ...model.definition, events } }] };
    const changed = await planDataCheck({ ...dev, deployed: other })({ model: MODEL, run: 'two', training: null });
    expect(changed).toMatchObject({ status: 'planned', partitions: 19 });
  });

  it('stages days of the same bytes side by side', async () => {
    const same = bytes('no rows');
    const days = ['2001-01-02', '2001-01-03', '2001-01-04'];
    for (const day of days) {
      await admitDays(dev.ledger, day, day, { content: 'no rows' });
      dev.lake.sources.set(`toy/events/dt=${day}/part.parquet`, same);
    }
    const sent: string[] = [];
    // A copy that is removed before it was sent would be missing here.
    const training = {
      ...putting(),
      storeRows: async (key: string, path: string) => {
        await setImmediate();
        if ((await readFile(path, 'utf8')) === 'no rows') sent.push(key);
        await setImmediate();
      },
    };
    const planned = await plan('one');
    for (const { kind, day, objects } of (await planOf(planned.plan)).partitions)
      for (const { key } of objects) if (!dev.lake.sources.has(key)) dev.lake.sources.set(key, bytes(`${kind} ${day}`));
    expect(await stageData({ ...dev, engine, training })({ plan: planned.plan })).toMatchObject({ status: 'staged' });
    expect(sent).toHaveLength(days.length);
    expect(new Set(sent).size).toBe(days.length);
  });

  it('starts no job where everything that it looks at is something else by now', async () => {
    await check('one');
    await admitDays(dev.ledger, '2001-01-20', '2001-01-20');
    for (const kind of ['events', 'labels'])
      dev.lake.sources.set(`toy/${kind}/dt=2001-01-20/part.parquet`, bytes('something else'));
    const planned = await plan('two');
    const refused = await stage(planned.plan);
    expect(refused).toMatchObject({ status: 'refused' });
    expect(await judge(planned, refused, undefined)).toMatchObject({ status: 'INCONCLUSIVE' });
  });

  it('that found nothing out is not begun again each quarter of an hour, but for a training or other data', async () => {
    const planned = await plan('one');
    await judge(planned, await stage(planned.plan), { status: 'failed', reason: 'no such image' });
    expect(await plan('two')).toMatchObject({
      status: 'nothing',
      reasons: [expect.stringContaining('without a result')],
    });
    expect(await plan('three', await training())).toMatchObject({ status: 'planned', partitions: 37 });
    dev.clock.at += 7 * 3_600_000;
    expect(await plan('four')).toMatchObject({ status: 'planned', partitions: 37 });
    dev.clock.at -= 6 * 3_600_000;
    await admitDays(dev.ledger, '2001-01-20', '2001-01-20');
    expect(await plan('five')).toMatchObject({ status: 'planned', partitions: 38 });
  });

  it('starts one job, whose end lets the machine go on', async () => {
    const start = checkExpectations({ ...dev, image: 'image' });
    for (const token of ['first', 'second']) {
      dev.machines.waiting.add(token);
      await start({ model: MODEL, run: 'one', token });
    }
    const [request] = dev.checks.requests.values();
    expect(dev.checks.requests.size).toBe(1);
    expect(request).toMatchObject({ image: 'image', input: 'runs/one/check/input/', output: 'runs/one/check/output/' });
    const job = request?.name ?? '';
    const jobs = { describe: async () => ({ kind: 'running' as const }) };
    expect(await returnJobToken({ ...dev, jobs }, 'processing', job)).toBe('running');
    dev.checks.states.set(job, { kind: 'failed', reason: 'expectations/events.json is no suite' });
    expect(await returnJobToken({ ...dev, jobs }, 'processing', job)).toBe('returned');
    expect(dev.machines.answers.get('second')).toEqual({
      status: 'failed',
      reason: `expectations/events.json is no suite (log: CloudWatch /aws/sagemaker/ProcessingJobs, job ${job})`,
    });
  });

  it('whose job cannot be created is inconclusive with the reason, and the machine does not wait', async () => {
    const planned = await plan('one');
    const staged = await stage(planned.plan);
    const checks = { ...dev.checks, start: async () => ({ kind: 'refused' as const, reason: 'no such image' }) };
    dev.machines.waiting.add('token');
    const checking = checkExpectations({ ...dev, checks, image: 'unpushed' });
    expect(await checking({ model: MODEL, run: 'one', token: 'token' })).toEqual({ status: 'refused' });
    const checked = dev.machines.answers.get('token');
    expect(await judge(planned, staged, checked)).toMatchObject({
      status: 'INCONCLUSIVE',
      reasons: ['the check ended without a result: no such image'],
    });
    // People were told once; what did not change is not begun again at the next quarter of an hour.
    expect(await plan('two')).toMatchObject({ status: 'nothing' });
  });

  it('is refused, with the expectation and the values, and remembered for whoever trains on it', async () => {
    const bad = (batch: { kind: string; day: string | null }) =>
      batch.kind === 'events' && batch.day === '2001-01-10' ? { failures: [FAILURE] } : {};
    const { status, reasons } = await check('one', null, bad);
    expect(status).toBe('FAIL');
    expect(reasons).toEqual(['events of 2001-01-10: expect_something(column=x): 3 of 9 values, such as 99']);
    const [record] = await dev.chain();
    expect(record).toMatchObject({ code: 'DATA_REFUSED', details: { run: 'one', verdict: 'FAIL', training: null } });
    // It is looked at no more, and stops the run that would train on it all the same.
    const later = await check('two', await training());
    expect(later).toMatchObject({ status: 'FAIL', reasons });
  });
});

describe('a check before training', () => {
  it('looks at the rows that are trained on as well, and names its evidence', async () => {
    const result = await check('one', await training());
    expect(result).toMatchObject({ status: 'PASS', reasons: [] });
    expect(await dev.codes()).toEqual(['DATA_VALIDATED']);
    const evidence = JSON.parse(Buffer.from(await dev.documents.read(result.evidence)).toString()) as {
      results: CheckResults;
    };
    expect(evidence.results.batches.at(-1)).toMatchObject({ kind: 'features', day: null });
    // A file per day, as the training job gets them, in the order of the days.
    const staged = JSON.parse(dev.files.get(`${stagePrefix('one')}batches.json`) ?? '[]') as { files: string[] }[];
    const files = ['2001-01-01', '2001-01-02'].map((day) => `features/train-${day}.parquet`);
    expect(staged.at(-1)).toMatchObject({ files });
    for (const file of files) expect(dev.files.get(`${stagePrefix('one')}${file}`)).toBe('rows');
  });

  it('has one verdict, whatever is found when somebody asks again', async () => {
    const planned = await plan('one', await training());
    const staged = await stage(planned.plan);
    finds('one');
    const first = await judge(planned, staged);
    finds('one', () => ({ failures: [FAILURE] }));
    expect(await judge(planned, staged)).toEqual(first);
    expect(await dev.codes()).toEqual(['DATA_VALIDATED']);
  });

  it.each<[string, string, object]>([
    [
      'a job that failed',
      'the check ended without a result: out of memory',
      { status: 'failed', reason: 'out of memory' },
    ],
    ['a job that left nothing', 'the check left no results.json', { status: 'checked' }],
  ])('is inconclusive after %s', async (_, reason, checked) => {
    const planned = await plan('one', await training());
    const staged = await stage(planned.plan);
    expect(await judge(planned, staged, checked)).toMatchObject({ status: 'INCONCLUSIVE', reasons: [reason] });
    // Nothing was looked at, so that the next one looks at all of it.
    expect(await plan('two', await training())).toMatchObject({ partitions: 37 });
  });

  it.each(['not JSON', '{"formatVersion":1}'])('is inconclusive after a job that left %j', async (text) => {
    const planned = await plan('one', await training());
    const staged = await stage(planned.plan);
    dev.checks.outputs.set('runs/one/check/output/results.json', bytes(text));
    const { status, reasons } = await judge(planned, staged);
    expect(status).toBe('INCONCLUSIVE');
    expect(reasons[0]).toContain('results.json of the check cannot be read');
  });

  it('fails where a job passes over what it was given', async () => {
    const planned = await plan('one', await training());
    const staged = await stage(planned.plan);
    finds('one');
    const output = 'runs/one/check/output/results.json';
    const found = JSON.parse(Buffer.from(dev.checks.outputs.get(output) ?? []).toString()) as CheckResults;
    const fewer = { ...found, batches: found.batches.slice(2) };
    dev.checks.outputs.set(output, bytes(JSON.stringify(fewer)));
    const { status, reasons } = await judge(planned, staged);
    expect(status).toBe('FAIL');
    expect(reasons.join()).toContain('events of 2001-01-01');
    expect(reasons.join()).toContain('no suite has looked at it');
  });

  it('fails for an input that knows the label', async () => {
    rows = { ...ROWS, inputs: [{ column: 'y', missing: 0, auc: 1 }] };
    expect(await check('one', await training())).toMatchObject({
      status: 'FAIL',
      reasons: [expect.stringContaining('y alone tells the label with an AUC of 1.000')],
    });
  });

  it('looks at the partitions all the same where the training rows cannot be made, and fails', async () => {
    const pinned = await training();
    const planned = await plan('one', pinned);
    await stage(planned.plan);
    const [first] = [...dev.lake.objects.keys()].filter((key) => key.includes('/features/'));
    dev.lake.objects.delete(first ?? '');
    const staged = await stageData({ ...dev, engine, training: putting() })({ plan: planned.plan });
    finds('one');
    const { status, reasons } = await judge(planned, staged);
    expect(status).toBe('FAIL');
    expect(reasons).toEqual([expect.stringMatching(/^features of 2001-01-\d\d are not built/)]);
    expect(await plan('two')).toMatchObject({ status: 'nothing' });
  });

  it('says why the training rows cannot be made where every partition has been looked at', async () => {
    const pinned = await training();
    await check('one');
    const planned = await plan('two', pinned);
    expect(planned.partitions).toBe(0);
    const staged = await stageData({ ...dev, engine, training: putting() })({ plan: planned.plan });
    const reasons = [expect.stringMatching(/^features of 2001-01-\d\d are not built/)];
    expect(staged).toEqual({ status: 'refused', reasons });
    expect(await judge(planned, staged, undefined)).toMatchObject({ status: 'INCONCLUSIVE', reasons });
    const [refused] = (await dev.chain()).slice(-1);
    expect(refused).toMatchObject({ code: 'DATA_REFUSED', details: { reasons } });
  });

  it('reads the versions that the run pinned, and not their corrections', async () => {
    const pinned = await training();
    await admitDays(dev.ledger, '2001-01-05', '2001-01-05', { mark: ' corrected' });
    dev.lake.sources.set('toy/events/dt=2001-01-05/part.parquet', bytes('events 2001-01-05'));
    const versions = (await planOf((await plan('one', pinned)).plan)).partitions.filter(
      ({ day }) => day === '2001-01-05',
    );
    expect(versions.map(({ kind, version }) => `${kind} ${version}`)).toEqual(['events 1', 'events 2', 'labels 1']);
  });

  it('writes what it found together with its record, and gives way to another check', async () => {
    const planned = await plan('one');
    const staged = await stage(planned.plan);
    finds('one');
    const item = { ...keys.checkedData(MODEL), document: digestOf('another'), formatVersion: 1, model: MODEL };
    const raced = {
      ...dev,
      ledger: {
        ...dev.ledger,
        transact: async (...args: Parameters<typeof dev.ledger.transact>) => {
          if ((await dev.ledger.get(keys.checkedData(MODEL))) === undefined)
            await dev.ledger.transact([{ kind: 'put', item }], 'quicker');
          return dev.ledger.transact(...args);
        },
      },
    };
    await expect(judgeData(raced)({ plan: planned, staged, checked: { status: 'checked' } })).rejects.toMatchObject({
      code: 'DATA_CHECK_RACED',
    });
    expect(await dev.codes()).toEqual([]);
  });
});
