import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { type CheckResults } from '#domain/data/data-check.ts';
import { keys } from '#domain/ledger/keys.ts';
import { judgeData } from '#use-cases/data-quality/judge-data.ts';
import { stageData, stagePrefix } from '#use-cases/data-quality/stage-data.ts';
import { admitDays } from './_admitted.ts';
import { bytes, MODEL } from './_environments.ts';
import {
  ROWS,
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
  setRows,
} from './_data-quality.ts';

beforeEach(begin);

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
    setRows({ ...ROWS, inputs: [{ column: 'y', missing: 0, auc: 1 }] });
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
