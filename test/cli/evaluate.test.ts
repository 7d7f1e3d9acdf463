import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { folderArtifactStore } from '#adapters/folder/artifact-store.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { run as evaluate } from '#cli/commands/model/evaluate/evaluate.ts';
import { run as newModel } from '#cli/commands/model/new.ts';
import { writeSample } from '#cli/commands/model/sample.ts';
import { RefusedError } from '#cli/refusal.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { fill, testContext } from './_context.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const DAYS = { first: '2024-01-01', last: '2024-01-25' };

let folder = '';
const files = { events: [] as string[], labels: [] as string[] };

/** A model whose program takes no time: what it leaves is a constant, which is worth nothing. */
beforeAll(async () => {
  await mkdir(join(REPOSITORY, '.gatehouse'), { recursive: true });
  // Below the repository, so that a model's own imports find the project.
  folder = await mkdtemp(join(REPOSITORY, '.gatehouse', 'evaluate-'));
  await newModel(testContext({ name: 'churn' }, { models: [join(folder, 'models')] }).context);
  const model = join(folder, 'models/churn');
  const text = await readFile(join(model, 'model.ts'), 'utf8');
  await writeFile(
    join(model, 'model.ts'),
    text
      .replace(
        /windows: .*/,
        `windows: { everything: { since: '2024-01-01' }, month: 28 }, evaluation: { selectionDays: 3, testDays: 7 },`,
      )
      .replace(`['python', 'training/train.py']`, `['node', 'training/train.mjs']`),
  );
  await writeFile(join(model, 'model.onnx'), constantModel({ baseRate: 0.3, features: 4 }));
  await writeFile(
    join(model, 'training/train.mjs'),
    `import { cpSync } from 'node:fs';\ncpSync('model.onnx', process.env.SM_MODEL_DIR + '/model.onnx');\n`,
  );
  await writeSample(join(folder, 'data'));
  for (const kind of ['events', 'labels'] as const)
    for (const day of daysBetween(DAYS.first, addDays(DAYS.last, kind === 'events' ? 0 : 1)))
      files[kind].push(join(folder, 'data', kind, `dt=${day}`, 'part-0.parquet'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Evaluated {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly windows: readonly { readonly window: string; readonly release: string; readonly isChosen: boolean }[];
  readonly dataCheck: object | null;
  readonly gates: readonly { readonly gate: string; readonly verdict: string }[];
  readonly report: { readonly page: string } | null;
  readonly against: string;
}

/** Types the command: what it printed, and what it was refused for. */
async function evaluated(
  more: Readonly<Record<string, unknown>> = {},
  prepare: (here: ReturnType<typeof testContext>) => Promise<void> = async () => {},
) {
  const given = { name: 'churn', ...files, ...more };
  const here = testContext(given, { models: [join(folder, 'models')], home: join(folder, 'home') });
  await prepare(here);
  let refusal;
  try {
    await evaluate(here.context);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    ({ refusal } = error);
  }
  const text = here.text('json');
  return { refusal, said: text === '' ? undefined : (JSON.parse(text) as Evaluated), notes: here.notes };
}

/** What the first evaluation has made. */
let candidate: Digest;

it('ends as the pipeline would: data checked, each window trained, compared with the baseline, rejected with the gates and a report', async () => {
  const { refusal, said, notes } = await evaluated();
  expect(notes.filter((line) => line.includes('train window'))).toEqual(['  train window']);
  expect(said).toMatchObject({
    status: 'rejected',
    against: 'baseline',
    dataCheck: { status: 'PASS' },
    windows: [{ window: 'everything', isChosen: true }],
  });
  expect(said?.gates).toEqual([
    expect.objectContaining({ gate: 'metric-baseline', verdict: 'FAIL' }),
    expect.objectContaining({ gate: 'better-than-champion', verdict: 'FAIL' }),
  ]);
  expect(refusal).toMatchObject({ rule: 'candidate-proven', found: expect.stringContaining(said?.reasons[0] ?? '?') });
  expect(await readFile(said?.report?.page ?? '', 'utf8')).toContain('churn');
  candidate = Digest.parse(said?.windows[0]?.release);
});

it('compares with a release that dev registered, whose files it fetches', async () => {
  const folderOfReleases = join(folder, 'home/evaluate/churn/releases');
  const own = folderArtifactStore(folderOfReleases);
  const { said, refusal } = await evaluated({ against: 'churn@0.4.0' }, async ({ releasesOf, ledgerOf }) => {
    const bytes = await own.read(candidate);
    const dev = releasesOf('dev');
    for (const { sha256 } of openManifest(bytes).files) await dev.write(await own.read(sha256));
    await dev.write(bytes);
    await fill(ledgerOf('dev'), [{ ...keys.version('churn', '0.4.0'), release: candidate }]);
    await rm(folderOfReleases, { recursive: true });
  });
  expect(said).toMatchObject({ status: 'rejected', against: 'churn@0.4.0' });
  expect(refusal?.found).toContain('the predictions are the same as the champion’s');
  const unknown = await evaluated({ against: 'churn@9.9.9' });
  expect(unknown.refusal).toMatchObject({ rule: 'release-known' });
});

it('says first what would not be admitted', async () => {
  const day = '2024-01-05';
  const spoilt = join(folder, 'spoilt', `dt=${day}`, 'part-0.parquet');
  await mkdir(join(spoilt, '..'), { recursive: true });
  const labels = files.labels.map((file) => (file.includes(day) ? spoilt : file));
  const whole = files.labels.find((file) => file.includes(day)) ?? '';
  await withDatabase('512MB', (connection) =>
    connection.run(
      `COPY (SELECT * REPLACE (CAST(outcome AS BIGINT) AS outcome) FROM read_parquet(${literal(whole)}, hive_partitioning = false)) TO ${literal(spoilt)} (FORMAT parquet)`,
    ),
  );
  const { said, refusal } = await evaluated({ labels });
  expect(said).toMatchObject({ status: 'rejected', dataCheck: null, windows: [], gates: [], report: null });
  expect(said?.reasons[0]).toMatch(/^labels of 2024-01-05 are not admitted: .*outcome.*BIGINT/);
  expect(refusal?.found).toContain('2024-01-05');
});

it('knows nothing that arrived later than the day that is named, and no day that has not come', async () => {
  // What an earlier evaluation made is known without any cloud.
  const { said } = await evaluated({ asOf: '2024-01-10', against: candidate });
  expect(said).toMatchObject({ status: 'rejected', windows: [], against: candidate });
  expect(said?.reasons[0]).toContain('history-long-enough');
  const tomorrow = await evaluated({ asOf: '2026-03-03' });
  expect(tomorrow.refusal).toMatchObject({ rule: 'as-of-past' });
});

it('is whole: nothing half-written is left beside what was made', async () => {
  const left = await readdir(join(folder, 'home/evaluate/churn'), { recursive: true });
  expect(left.filter((name) => /\.[0-9a-f-]{36}$/.test(name))).toEqual([]);
  // The jobs' own folders are gone; what was checked is kept, and is no more than a help.
  expect((await readdir(join(folder, 'home/evaluate/churn'))).filter((name) => name.startsWith('jobs'))).toEqual([]);
  const checked = join(folder, 'home/evaluate/churn/checked.json');
  expect(JSON.parse(await readFile(checked, 'utf8'))).toMatchObject({ model: 'churn' });
  await writeFile(checked, '{"formatVersion"');
  expect((await evaluated({ asOf: '2024-01-10' })).said).toMatchObject({ status: 'rejected' });
});
