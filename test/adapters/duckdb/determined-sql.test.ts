import { readFile } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PARQUET, literal, withDatabase } from '#adapters/duckdb/database.ts';
import { lockIn, runSql } from '#adapters/duckdb/featurizer.ts';
import { type Preloaded, hiddenSchema, preload } from '#adapters/duckdb/preloaded.ts';
import { inspectSql } from '#adapters/duckdb/sql-guard.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { definition, eventsOf, labelsOf, workspace } from './_fixture.ts';
import { HOLES, generatedSql, simplest } from './_generated-sql.ts';

const { path, parquet } = workspace();
type Guard = typeof inspectSql;

/**
 * The engine on another day: its clock cannot be set, so each function that reads it is hidden behind a macro of the same
 * name that tells another time. Chance, samples and the engine's own tables differ by themselves.
 */
const ANOTHER_TIME = [
  "age(x) AS system.main.age(TIMESTAMP '2001-02-03', x), (x, y) AS system.main.age(x, y)",
  ...['current_localtime', 'get_current_time'].map((name) => `${name}() AS TIME '04:05:06'`),
  ...['current_localtimestamp'].map((name) => `${name}() AS TIMESTAMP '2001-02-03 04:05:06'`),
  ...['now', 'get_current_timestamp', 'transaction_timestamp'].map(
    (name) => `${name}() AS TIMESTAMPTZ '2001-02-03 04:05:06+00'`,
  ),
  ...['today', 'current_date'].map((name) => `${name}() AS DATE '2001-02-03'`),
];

const DAYS = ['2026-03-01', '2026-03-02'] as const;
interface DayFiles {
  readonly day: string;
  readonly events: { day: string; file: string }[];
  readonly labels: { day: string; file: string }[];
}
let inputs: readonly DayFiles[] = [];
beforeAll(async () => {
  inputs = await Promise.all(
    DAYS.map(async (day, index) => {
      const events = [{ day, file: await parquet(`e${day}.parquet`, eventsOf(day, 9 + index)) }];
      const labels = [{ day, file: await parquet(`l${day}.parquet`, labelsOf(day, day, 8)) }];
      return { day, events, labels };
    }),
  );
});

/** An engine with the files of some days, of which the last one is what is built: as `buildDaily` has it. */
interface Engine {
  readonly connection: DuckDBConnection;
  readonly tables: Preloaded;
  readonly days: readonly DayFiles[];
  readonly out: string;
}

async function withEngine<T>(
  name: string,
  days: readonly DayFiles[],
  macros: readonly string[],
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  return withDatabase('512MB', async (connection) => {
    const files = {
      events: days.flatMap(({ events }) => events),
      labels: days.flatMap(({ labels }) => labels),
      daily: [],
    };
    const tables = await preload(connection, definition, files, hiddenSchema());
    for (const macro of macros) await connection.run(`CREATE MACRO ${macro}`);
    const out = path(`${name}.parquet`);
    await lockIn(connection, [out]);
    return work({ connection, tables, days, out });
  });
}

/** The digest of what SQL gives on the last day, after it has run on the days before; or that it does not run. */
async function resultOf({ connection, tables, days, out }: Engine, sql: string, result: string): Promise<string> {
  await connection.run(`DROP TABLE IF EXISTS ${result}`);
  // SQL that reads a result does not run on the very first day, when there is none: here is one of a day before.
  if (days.length > 1) await connection.run(`CREATE TABLE ${result} AS SELECT 1 AS x`);
  let refused = false;
  for (const { day, events, labels } of days) {
    await tables.put('events', events);
    await tables.put('labels', labels);
    refused = (await runSql(connection, sql, result, day, { milliseconds: 20_000, memory: '512MB' })) !== undefined;
  }
  if (refused) return 'refused';
  await connection.run(`COPY (SELECT * FROM ${result} ORDER BY ALL) TO ${literal(out)} (${PARQUET})`);
  return digestOf(await readFile(out));
}

interface Outcome {
  readonly failed: boolean;
  readonly accepted: number;
  readonly ran: number;
}

/** The property: what a guard accepts gives the same bytes alone, and after other days at another time. */
async function sameBytes(
  guard: Guard,
  sqls: fc.Arbitrary<string>,
  options: {
    readonly numRuns: number;
    readonly seed?: number;
    readonly result?: string;
    readonly examples?: [string][];
  },
): Promise<Outcome & { readonly report: string }> {
  const { result = `${hiddenSchema()}.result`, ...parameters } = options;
  let accepted = 0;
  let ran = 0;
  const outcome = await withEngine('alone', inputs.slice(-1), [], (alone) =>
    withEngine('after', inputs, ANOTHER_TIME, (after) =>
      fc.check(
        fc.asyncProperty(sqls, async (sql) => {
          if ((await guard(alone.connection, sql, ['events', 'labels'])) !== undefined) return true;
          accepted += 1;
          const first = await resultOf(alone, sql, result);
          if (first !== 'refused') ran += 1;
          return first === (await resultOf(after, sql, result));
        }),
        { ...parameters, endOnFailure: options.seed !== undefined },
      ),
    ),
  );
  return { failed: outcome.failed, accepted, ran, report: fc.defaultReportMessage(outcome) ?? '' };
}

describe('feature SQL that the guard accepts', () => {
  it('gives the same bytes alone, and after other days at another time', async () => {
    const examples = HOLES.map((hole): [string] => [simplest(hole)]);
    const options = { numRuns: 120 + examples.length, examples };
    const { failed, accepted, ran, report } = await sameBytes(inspectSql, generatedSql(3), options);
    expect(failed, report).toBe(false);
    // The property says something only if most of what is generated is accepted and runs.
    expect(accepted).toBeGreaterThan(60);
    expect(ran / accepted).toBeGreaterThan(0.9);
  });

  it.each(HOLES)('would not, if the guard accepted $what', async (hole) => {
    const opened: Guard = (connection, sql, tables) =>
      inspectSql(connection, sql.replaceAll(hole.open, hole.closed), tables);
    const sqls = generatedSql(20, [hole]);
    const result = hole.open.includes('FROM previous') ? 'previous' : undefined;
    const options = { numRuns: 60, seed: 7, ...(result === undefined ? {} : { result }) };
    expect(await sameBytes(opened, sqls, options)).toMatchObject({ failed: true });
  });

  it("cannot see the previous day's result even if the guard let it, because it lies in a schema without a known name", async () => {
    const hole = HOLES.find(({ open }) => open.includes('FROM previous'));
    await withEngine('two', inputs, [], async (engine) => {
      const schema = hiddenSchema('FROM hidden.result', 'FROM hidden_.result');
      expect(schema).toBe('hidden__');
      for (const table of ['previous', 'result', 'features', 'daily_result']) {
        const sql = (hole?.open ?? '').replaceAll('previous', table).replaceAll('r.x', '2');
        expect(await resultOf(engine, `SELECT ${sql} AS x`, `${hiddenSchema()}.result`)).toBe('refused');
      }
    });
  });
});
