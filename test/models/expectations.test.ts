import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, PARQUET, withDatabase } from '#adapters/duckdb/database.ts';
import { stagePartitions } from '#adapters/duckdb/staged-partitions.ts';
import { CheckResults, failureText } from '#domain/data/data-check.ts';
import { compileModel } from '#model/compile.ts';
import { runPrograms } from './_programs.ts';
import { replay as flights } from '../../models/flight-delay/replay.ts';

const ROOT = join(import.meta.dirname, '../..');
const DAYS = ['2001-01-02', '2001-02-14', '2001-05-27', '2001-06-29'];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-expectations-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Batch {
  readonly kind: 'events' | 'labels';
  readonly day: string;
  readonly files: readonly string[];
}

/** Lays out what the processing job reads under its container contract: some batches as they are staged, and the suites of a model. */
async function prepared(
  name: string,
  batches: readonly Batch[],
  suites = join(ROOT, 'models/flight-delay/expectations'),
  spoilt?: number,
): Promise<string> {
  const home = join(folder, name);
  const input = join(home, 'opt/ml/processing/input');
  await mkdir(input, { recursive: true });
  await cp(suites, join(input, 'suites'), { recursive: true });
  const definition = await compileModel(join(ROOT, 'models/flight-delay'));
  const items = batches.map((batch, index) => ({ ...batch, out: join(input, `${index}.parquet`) }));
  const staged = await stagePartitions({ definition, items });
  const named = items.map(({ kind, day, out }, index) => {
    const result = staged[index];
    const about = { kind, day, version: 1 };
    return result?.kind === 'refused'
      ? { ...about, files: [], refused: `${result.refusal.rule}: ${result.refusal.found}` }
      : { ...about, files: [basename(out)] };
  });
  if (spoilt !== undefined) await writeFile(join(input, `${spoilt}.parquet`), 'not a table');
  await writeFile(join(input, 'batches.json'), JSON.stringify(named));
  return home;
}

/** Where `generate.py` writes, and not over what is committed. */
const generated = (): string => join(folder, 'expectations.ts');

/** Runs the program of the processing job on each layout. */
async function validate(homes: readonly string[]) {
  const ended = await runPrograms({
    modules: ['great_expectations', 'pyarrow.parquet'],
    runs: [
      ...homes.map((home) => ({
        program: join(ROOT, 'containers/data-quality/validate.py'),
        cwd: home,
        env: { SM_ROOT: home },
      })),
      // From the same start of the package, which takes seconds: what it says of its expectations.
      { program: join(ROOT, 'src/model/generated/generate.py'), cwd: ROOT, env: { EXPECTATIONS_OUT: generated() } },
    ],
  });
  return Promise.all(
    homes.map(async (home, index) => {
      const read = (path: string) => readFile(join(home, path), 'utf8').catch(() => '');
      const results = await read('opt/ml/processing/output/results.json');
      return {
        code: ended[index]?.code,
        message: await read('opt/ml/output/message'),
        batches: results === '' ? [] : CheckResults.parse(JSON.parse(results)).batches,
      };
    }),
  );
}

/** A file with what some SQL makes of another one's rows. */
async function made(name: string, file: string, select: string): Promise<string> {
  const out = join(folder, `${name}.parquet`);
  await withDatabase('1GB', async (connection) => {
    await connection.run(`CREATE VIEW day AS FROM read_parquet(${literal(file)}, hive_partitioning = false)`);
    await connection.run(`COPY (${select}) TO ${literal(out)} (${PARQUET})`);
  });
  return out;
}

describe('the expectations of the reference model', () => {
  const faults: readonly (readonly [string, 'events' | 'labels', string, string])[] = [
    [
      'kilometres',
      'events',
      'SELECT * REPLACE (CAST(distance * 1.609344 AS INTEGER) AS distance) FROM day',
      'expect_column_median_to_be_between(column=distance',
    ],
    [
      'nulls',
      'events',
      "SELECT * REPLACE (CASE WHEN flight_id < 'f1' THEN NULL ELSE origin END AS origin) FROM day",
      'expect_column_values_to_not_be_null(column=origin)',
    ],
    ['twice', 'events', 'FROM day UNION ALL FROM day LIMIT 600', 'expect_column_values_to_be_unique(column=flight_id)'],
    ['another column', 'events', 'SELECT *, 1 AS delay FROM day', 'expect_table_columns_to_match_set'],
    [
      'no label',
      'labels',
      'SELECT * REPLACE (CAST(NULL AS BOOLEAN) AS late) FROM day',
      'expect_partition_to_be_readable(): row-keys-present',
    ],
    [
      'a type',
      'events',
      'SELECT * REPLACE (CAST(distance AS VARCHAR) AS distance) FROM day',
      'column distance is VARCHAR, declared INTEGER',
    ],
  ] as const;
  let healthy: readonly Batch[] = [];
  let given: readonly Batch[] = [];
  let reference: Awaited<ReturnType<typeof validate>>[number] | undefined;
  let broken: typeof reference;
  beforeAll(async () => {
    const partitions = await flights.prepare({ folder: join(folder, 'flights'), sample: 0.02 });
    healthy = partitions
      .filter(({ day }) => DAYS.includes(day))
      .map(({ kind, day, file }) => ({ kind, day, files: [file] }));
    const events = healthy.find(({ kind }) => kind === 'events')?.files[0] ?? '';
    const labels = healthy.find(({ kind }) => kind === 'labels')?.files[0] ?? '';
    const damaged = await Promise.all(
      faults.map(async ([, kind, select], index) => ({
        kind,
        day: healthy[0]?.day ?? '',
        files: [await made(`fault-${index}`, kind === 'events' ? events : labels, select)],
      })),
    );
    const day = healthy[0]?.day ?? '';
    // What features read alike is judged alike: another type or order of columns, a file without rows.
    const alike = await Promise.all([
      made(
        'a',
        events,
        "SELECT * REPLACE (CAST(distance AS SMALLINT) AS distance, departed_at::TIMESTAMPTZ AS departed_at) FROM day WHERE flight_id < 'f1'",
      ),
      made('b', events, "SELECT distance, * EXCLUDE (distance) FROM day WHERE NOT flight_id < 'f1'"),
      made('c', events, 'FROM day LIMIT 0'),
    ]);
    const more = await made('more', events, "SELECT *, 1 AS delay FROM day WHERE NOT flight_id < 'f1'");
    given = [
      ...healthy,
      ...damaged,
      { kind: 'events', day, files: alike },
      { kind: 'events', day, files: [alike[0] ?? '', more] },
      { kind: 'events', day, files: [events] },
    ];
    const [first] = partitions.filter(({ kind }) => kind === 'events');
    const suites = join(folder, 'suites');
    await mkdir(suites, { recursive: true });
    const wrong = { name: 'events', expectations: [{ type: 'expect_the_unexpected', kwargs: {} }] };
    await writeFile(join(suites, 'events.json'), JSON.stringify(wrong));
    const batch = { kind: 'events', day: first?.day ?? '', files: [first?.file ?? ''] } as const;
    [reference, broken] = await validate([
      await prepared('reference', given, undefined, given.length - 1),
      await prepared('broken', [batch], suites),
    ]);
  });

  it('are met by healthy days, and each fault of a source is named with its values', () => {
    const { code, batches = [] } = reference ?? {};
    expect(code).toBe(0);
    expect(batches).toHaveLength(given.length);
    const [judgedAlike, withMore, spoilt] = batches.slice(-3);
    expect(judgedAlike?.failures).toEqual([]);
    expect(withMore?.failures).toMatchObject([{ expectation: 'expect_table_columns_to_match_set' }]);
    expect(spoilt).toMatchObject({ rows: 0, failures: [{ expectation: 'expect_partition_to_be_readable' }] });
    const said = batches.map((batch) => batch.failures.map((failure) => failureText(batch, failure)).join('; '));
    expect(said.slice(0, healthy.length)).toEqual(healthy.map(() => ''));
    for (const [index, [, , , expectation]] of faults.entries())
      expect(said[healthy.length + index]).toContain(expectation);
    // The values are named as well: kilometres are a median that no day of miles has.
    expect(said[healthy.length]).toMatch(/found (8|9)\d\d/);
  });

  it('end the job where a suite is none, because then nothing was looked at', () => {
    const { code, message, batches } = broken ?? {};
    expect(code).toBe(1);
    expect(batches).toEqual([]);
    expect(message).toContain('expectations/events.json is no suite');
    expect(message).toContain('expect_the_unexpected');
  });

  it('are checked without data by what the installed package says of its expectations', async () => {
    const committed = await readFile(join(ROOT, 'src/model/generated/expectations.ts'), 'utf8');
    expect(await readFile(generated(), 'utf8')).toBe(committed);
  });
});
