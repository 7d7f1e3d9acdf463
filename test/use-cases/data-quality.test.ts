import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { StagedData } from '#domain/data/data-check.ts';
import { checkExpectations } from '#use-cases/data-quality/check-expectations.ts';
import { planDataCheck } from '#use-cases/data-quality/plan-data-check.ts';
import { stageData } from '#use-cases/data-quality/stage-data.ts';
import { returnJobToken } from '#use-cases/retraining/return-job-token.ts';
import { admitDays } from './_admitted.ts';
import { bytes, deployed, MODEL } from './_environments.ts';
import {
  SUITE,
  FAILURE,
  dev,
  begin,
  plan,
  planOf,
  engine,
  putting,
  stage,
  finds,
  judge,
  check,
  training,
} from './_data-quality.ts';

beforeEach(begin);

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
