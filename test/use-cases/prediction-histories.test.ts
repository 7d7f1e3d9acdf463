import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { literal, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { type Digest } from '#domain/canonical/digest.ts';
import { predictionDigest } from '#domain/data/feature-work.ts';
import { addDays, daysBetween, type PartitionKind } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readPointer } from '#read-model/pointer.ts';
import { seedOfThisRun } from '#test/_helpers/seed.ts';
import { type Environment, MODEL } from './_environments.ts';
import {
  folder,
  admit,
  serve,
  run,
  tables,
  published,
  values,
  environment,
  begin,
  end,
} from './_prediction-histories.ts';

beforeAll(begin);
afterAll(end);

/*
 * Histories of data, releases, crashes and late writers through the machine, the use-cases, DuckDB and onnxruntime: what
 * is published in the end has the bytes that a run from scratch gives.
 */

const FIRST = '2001-01-10';

const DAYS = 4;

/** The partitions that were read already: nothing that is named by its content changes. */
const read = new Map<object, Set<Digest>>();

/** Each published partition is whole, and what its manifest says: no mixture, and looked up alike. */
async function checkReaders(prod: Environment): Promise<void> {
  const rows = tables.get(prod);
  for (const { day, features, release: of, scorer, object } of await published(prod)) {
    const name = predictionDigest(features, of, scorer);
    const built = await prod.lake.find('predictions', MODEL, name);
    expect(built?.object.sha256, day).toBe(object.sha256);
    if (rows === undefined || read.get(rows)?.has(name) === true) continue;
    read.set(rows, (read.get(rows) ?? new Set()).add(name));
    const path = join(folder, 'read.parquet');
    await writeFile(path, prod.lake.objects.get(object.key)?.content ?? new Uint8Array());
    const stored = await withDatabase('256MB', (connection) =>
      rowsOf(connection, `SELECT row_id AS row, prediction FROM ${literal(path)} ORDER BY row_id`),
    );
    const found = (await Promise.all(['who-0', 'who-1'].map((who) => rows.of(MODEL, who))))
      .flat()
      .filter(({ predictions }) => predictions === name)
      .map(({ row, prediction }) => ({ row, prediction }))
      .toSorted((a, b) => (a.row < b.row ? -1 : 1));
    expect(found, day).toEqual(stored);
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      of: fc.constantFrom<PartitionKind>('events', 'labels'),
      day: fc.nat(DAYS - 1),
      values,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('serve' as const), release: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      state: fc.constantFrom('Build feature partition', 'Score partition', 'Publish rows', 'Publish predictions'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('partial run' as const), losing: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('superseded run' as const),
      release: fc.nat(2),
      day: fc.nat(DAYS - 1),
      values,
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(prod: Environment, of: Step): Promise<void> {
  switch (of.kind) {
    case 'data':
      return admit(prod, of.of, addDays(FIRST, of.day), of.values);
    case 'serve':
      return serve(prod, of.release);
    case 'run':
      return run(prod);
    case 'crash':
      return run(prod, { crashIn: of.state });
    case 'partial run':
      return run(prod, { losing: of.losing });
    case 'superseded run':
      // While it was at work the release and the data changed, and another run was quicker.
      return run(prod, {
        before: async () => {
          await serve(prod, of.release);
          await admit(prod, 'events', addDays(FIRST, of.day), of.values);
          await run(prod);
        },
      });
  }
}

/** A twentieth of what `npm run bench -- prediction-histories` runs, and each run of the tests has other ones. */
const HISTORIES = Number(process.env['GATEHOUSE_HISTORIES'] ?? 5);

const seed = seedOfThisRun('prediction histories', 'npx vitest run test/use-cases/prediction-histories.test.ts');

/** Histories that are always among them: one that carries rows over, and below it each that has failed once. */
const KEPT: [Step[]][] = [
  [
    [
      {
        kind: 'data',
        of: 'events',
        day: DAYS - 1,
        values: [
          [0, 3],
          [1, 4],
          [2, 5],
          [3, 9],
        ],
      },
      { kind: 'run' },
    ],
  ],
];

let carried = 0;

it('histories end with the bytes of a run from scratch', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 7 }), async (steps) => {
      const prod = environment();
      for (const [index, day] of daysBetween(FIRST, addDays(FIRST, DAYS - 1)).entries()) {
        await admit(
          prod,
          'events',
          day,
          [0, 1, 2, 3].map((id) => [id, (id + index) % 10]),
        );
        if (index > 0)
          await admit(prod, 'labels', day, [
            [0, 9],
            [1, index],
          ]);
      }
      await serve(prod, 0);
      await run(prod);
      for (const each of steps) {
        await take(prod, each);
        await checkReaders(prod);
      }
      await run(prod);
      await checkReaders(prod);
      for (const { lineage } of await published(prod)) carried += lineage?.carried ?? 0;

      const scratch = environment();
      for (const kind of ['events', 'labels'] as const)
        for (const item of await prod.ledger.query(keys.partitions(MODEL, kind)))
          await scratch.ledger.transact([{ kind: 'put', item }], `copy ${item.sk} ${kind}`);
      for (const [key, content] of prod.lake.sources) scratch.lake.sources.set(key, content);
      const pointer = await readPointer(prod.ledger, MODEL);
      await serve(scratch, Number(pointer?.version.split('.').at(-1)));
      await run(scratch);
      const bytesOf = async (of: Environment) =>
        (await published(of)).map(({ day, features, release: by, rows, object }) => ({
          day,
          features,
          by,
          rows,
          sha256: object.sha256,
        }));
      const expected = await bytesOf(scratch);
      const days = new Set(expected.map(({ day }) => day));
      expect((await bytesOf(prod)).filter(({ day }) => days.has(day))).toEqual(expected);
    }),
    { numRuns: HISTORIES, seed, examples: KEPT },
  );
});

it('and rows were carried over on the way', () => {
  expect(carried).toBeGreaterThan(0);
});
