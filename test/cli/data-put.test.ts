import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { main } from '#cli/program.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { createTables } from '../adapters/_tables.ts';
import { clients, freshCloud, type TestCloud } from '../_helpers/cloud.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

const names = namesOf(config, 'dev');
let cloud: TestCloud;
let folder: string;
beforeAll(async () => {
  cloud = await freshCloud();
  await s3().send(new CreateBucketCommand({ Bucket: names.landingBucket }));
  const tables = { ledger: names.ledgerTable, catalogue: names.catalogueTable };
  await createTables(clients(cloud, names.account).dynamodb(), 'dev', tables);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-put-'));
});
afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
const s3 = () => clients(cloud, names.account).s3();

async function file(path: string, content: string): Promise<string> {
  const target = join(folder, path);
  await mkdir(join(target, '..'), { recursive: true });
  await writeFile(target, content);
  return target;
}
async function data(verb: string, ...args: readonly string[]) {
  const terminal = silentTerminal({ GATEHOUSE_HOME: cloud.home });
  const code = await main(['data', verb, 'flight-delay', '--env', 'dev', ...args, '-o', 'json'], terminal);
  const { out } = terminal.shown;
  return { code, data: (out.trim() === '' ? undefined : JSON.parse(out)) as unknown };
}
const put = (...args: readonly string[]) => data('put', ...args, '--no-wait');
const landed = async (prefix: string): Promise<string[]> => {
  const { Contents: found = [] } = await s3().send(
    new ListObjectsV2Command({ Bucket: names.landingBucket, Prefix: prefix }),
  );
  return found.map(({ Key: key = '' }) => key);
};

it('says which marker to write where there is none, and lists the days that wait for it until it is there', async () => {
  const key = 'flights/events/dt=2026-02-01/a.parquet';
  const waiting = async () => ((await data('list')).data as { waiting: unknown }).waiting;
  expect(await waiting()).toEqual([]);
  await s3().send(new PutObjectCommand({ Bucket: names.landingBucket, Key: key, Body: 'first' }));
  expect(await data('import')).toMatchObject({
    code: 1,
    data: {
      error: { rule: 'data-landed', remedy: expect.stringContaining('flights/events/dt=YYYY-MM-DD/_READY') },
    },
  });
  expect(await waiting()).toMatchObject([
    { kind: 'events', day: '2026-02-01', why: 'no marker', files: 1, marker: 'flights/events/dt=2026-02-01/_READY' },
  ]);
  expect((await data('list', '--kind', 'labels')).data).toMatchObject({ waiting: [] });
  expect(await put('--events', await file('dt=2026-02-01/a.parquet', 'first'))).toMatchObject({ data: { written: 1 } });
  expect(await waiting()).toEqual([]);
});

it('lands each day’s files and then its marker, in their order, and nothing twice', async () => {
  const events = [
    await file('events/dt=2026-03-01/a.parquet', 'first'),
    await file('events/dt=2026-03-01/b.parquet', 'second'),
    await file('events/dt=2026-03-02/a.parquet', 'third'),
  ];
  const labels = await file('labels/dt=2026-03-02/a.parquet', 'label');
  const typed = ['--events', ...events, '--labels', labels];
  expect(await put(...typed)).toMatchObject({ code: 0, data: { total: 3, written: 3 } });
  expect((await landed('flights/')).filter((key) => key.includes('dt=2026-03'))).toEqual([
    'flights/events/dt=2026-03-01/_READY',
    'flights/events/dt=2026-03-01/a.parquet',
    'flights/events/dt=2026-03-01/b.parquet',
    'flights/events/dt=2026-03-02/_READY',
    'flights/events/dt=2026-03-02/a.parquet',
    'flights/labels/dt=2026-03-02/_READY',
    'flights/labels/dt=2026-03-02/a.parquet',
  ]);
  expect(await put(...typed)).toMatchObject({ code: 0, data: { total: 3, written: 0 } });
  const corrected = await file('events/dt=2026-03-02/a.parquet', 'corrected');
  expect(await put('--events', corrected)).toMatchObject({ data: { total: 1, written: 1 } });
  const { Body } = await s3().send(
    new GetObjectCommand({ Bucket: names.landingBucket, Key: 'flights/events/dt=2026-03-02/a.parquet' }),
  );
  expect(await Body?.transformToString()).toBe('corrected');
});

it('refuses a day that would keep other files, unless they are to be replaced', async () => {
  await put('--events', await file('dt=2026-04-01/old.parquet', 'old'));
  const renamed = await file('dt=2026-04-01/new.parquet', 'new');
  expect(await put('--events', renamed)).toMatchObject({
    code: 1,
    data: {
      error: {
        rule: 'partition-replaced',
        found: expect.stringContaining('flights/events/dt=2026-04-01/old.parquet'),
        remedy: expect.stringContaining('--replace'),
      },
    },
  });
  expect(await put('--events', renamed, '--replace')).toMatchObject({ code: 0, data: { written: 1 } });
  expect(await landed('flights/events/dt=2026-04-01/')).toEqual([
    'flights/events/dt=2026-04-01/_READY',
    'flights/events/dt=2026-04-01/new.parquet',
  ]);
});

it.each([
  ['no files', [], 'name some by --events'],
  ['a path without a day', ['plain/a.parquet'], 'names no day'],
  ['a file of another kind', ['dt=2026-05-01/a.csv'], 'data is *.parquet'],
  ['two files of one name', ['x/dt=2026-05-01/a.parquet', 'y/dt=2026-05-01/a.parquet'], 'rename one'],
])('says what is wrong with %s', async (_, paths, message) => {
  const files = await Promise.all(paths.map((path) => file(path, 'content')));
  const { code, data } = await put(...(files.length === 0 ? [] : ['--events', ...files]));
  expect(code).toBe(2);
  expect(JSON.stringify(data)).toContain(message);
});
