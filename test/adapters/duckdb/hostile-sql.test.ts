import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, lockIn, runSql } from '#adapters/duckdb/featurizer.ts';
import { inspectSql } from '#adapters/duckdb/sql-guard.ts';
import { definition, eventsOf, labelsOf, workspace } from './_fixture.ts';

const { path, parquet } = workspace();
let requests = 0;
const server = createServer((_, response) => {
  requests += 1;
  response.end('secret');
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address !== null) port = address.port;
  process.env['GATEHOUSE_TEST_SECRET'] = 'planted';
  writeFileSync(path('secret.csv'), 'word\nplanted\n');
  mkdirSync(path('outside'));
  await parquet('other.parquet', "SELECT 'planted' AS word");
});
afterAll(() => {
  delete process.env['GATEHOUSE_TEST_SECRET'];
  server.close();
});

/** What feature SQL might try, by what it is after. `#` stands for the folder of this test, `PORT` for a listening server. */
const HOSTILE = {
  'a file, as CSV': "SELECT * FROM read_csv('#/secret.csv')",
  'a file, by its name': "SELECT * FROM '#/secret.csv'",
  'a file, as text': "SELECT * FROM read_text('#/secret.csv')",
  'a file, as bytes': "SELECT * FROM read_blob('/etc/passwd')",
  'a file, in a subquery': "SELECT (SELECT count(*) FROM read_csv('#/secret.csv')) AS n FROM events",
  'a file, in a common table': "WITH x AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM x",
  'a file, through a sniffer': "SELECT * FROM sniff_csv('#/secret.csv')",
  'a file, through text that is run': "SELECT * FROM query('SELECT * FROM read_csv(''#/secret.csv'')')",
  'a file, through a table by name': "SELECT * FROM query_table('#/secret.csv')",
  'another input file': "SELECT * FROM read_parquet('#/other.parquet')",
  'the metadata of another input file': "SELECT * FROM parquet_metadata('#/other.parquet')",
  'the names of files': "SELECT * FROM glob('#/*')",
  'the environment': "SELECT getenv('GATEHOUSE_TEST_SECRET') AS word",
  'the process': "SELECT * FROM read_text('/proc/self/environ')",
  'a database file': "SELECT * FROM read_duckdb('#/x.db')",
  'the network': "SELECT * FROM read_parquet('http://127.0.0.1:PORT/x.parquet')",
  'the network, as CSV': "SELECT * FROM read_csv('http://127.0.0.1:PORT/x.csv')",
  'a bucket': "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
  secrets: 'SELECT * FROM duckdb_secrets()',
  'writing a file': "COPY (SELECT 1) TO '#/outside/x.csv'",
  'writing the database': "EXPORT DATABASE '#/outside'",
  'writing a log': "CALL enable_logging(storage = 'file', storage_path = '#/outside')",
  'another database': "ATTACH '#/outside/x.db' AS x",
  'an extension to install': 'INSTALL httpfs',
  'an extension to load': 'LOAD httpfs',
  'a setting': 'SET lock_configuration = false',
  'a setting, by pragma': 'PRAGMA enable_external_access = true',
  'two statements': "SELECT 1 AS one; COPY (SELECT 1) TO '#/outside/x.csv'",
  'a way out of the brackets': "SELECT 1 AS one) TO '#/outside/x.csv'; --",
  'a way out of the quotes': "SELECT 1 AS one'); COPY (SELECT 1) TO '#/outside/x.csv'; --",
  'changed inputs': 'DELETE FROM events',
};
const attempts = (): [string, string][] =>
  Object.entries(HOSTILE).map(([what, sql]) => [what, sql.replaceAll('#', path('.')).replaceAll('PORT', String(port))]);

describe('hostile SQL', () => {
  it('is refused with its reason before it runs', async () => {
    await withDatabase('512MB', async (connection) => {
      await connection.run('CREATE TABLE events (id VARCHAR)');
      for (const [what, sql] of attempts()) {
        expect(await inspectSql(connection, sql, ['events']), what).toMatchObject({
          rule: 'feature-sql-allowed',
        });
      }
    });
    expect(requests).toBe(0);
  });

  it('gets nowhere in the locked engine either, should it get past the inspection', async () => {
    for (const [what, sql] of attempts()) {
      await withDatabase('512MB', async (connection) => {
        await connection.run('CREATE TABLE events (id VARCHAR)');
        const limits = { milliseconds: 20_000, memory: '512MB' };
        await lockIn(connection, [path('out.parquet')]);
        expect(await runSql(connection, sql, 'result', '2026-03-02', limits), what).toMatchObject({
          rule: 'feature-sql-runs',
        });
      });
    }
    expect(requests).toBe(0);
    expect(readdirSync(path('outside'))).toEqual([]);
  });

  it('is stopped on the way that everybody takes', async () => {
    const item = {
      day: '2026-03-02',
      events: [{ day: '2026-03-01', file: await parquet('e1.parquet', eventsOf('2026-03-01')) }],
      labels: [{ day: '2026-03-02', file: await parquet('l2.parquet', labelsOf('2026-03-01', '2026-03-02')) }],
      out: path('out.parquet'),
    };
    const sql = `SELECT * FROM read_csv('${path('secret.csv')}')`;
    const [result] = await buildDaily({ sql, definition, items: [item] });
    expect(result).toMatchObject({
      kind: 'refused',
      refusal: { found: 'features/daily.sql:1: table function read_csv' },
    });
  });
});
