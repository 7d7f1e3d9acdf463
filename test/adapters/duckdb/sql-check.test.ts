import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { refusedSql } from '#adapters/duckdb/sql-check.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';

const HOME = join(import.meta.dirname, '../../../models/flight-delay');
const read = (file: string): string => readFileSync(join(HOME, 'features', file), 'utf8');
const DAILY = 'SELECT flight_id, origin, late FROM events JOIN labels USING (flight_id)';

let reference: ModelDefinition;
beforeAll(async () => {
  reference = await compileModel(HOME);
});

describe('the SQL of a model without any data', () => {
  it('is refused where no day could have features, and for nothing else', async () => {
    expect(await refusedSql(reference, { daily: read('daily.sql'), features: read('features.sql') })).toEqual({});
  });

  const features = (columns: string): string => `SELECT flight_id, origin, departed_at, ${columns} FROM events`;
  const wrong: readonly (readonly [string, { daily?: string; features?: string }, object])[] = [
    ['a syntax error', { daily: 'SELECT 1\nFROM events\nWHERE WHERE' }, { daily: { line: 3, found: /syntax error/ } }],
    ['two statements', { daily: 'SELECT 1;\nSELECT 2' }, { daily: { found: /^2 statements/ } }],
    [
      'a table function',
      { daily: "SELECT 1\nFROM read_csv('/etc/passwd')" },
      { daily: { line: 2, found: /^table function read_csv$/ } },
    ],
    [
      'the time of the clock',
      { daily: 'SELECT 1 AS a,\n\n now() AS é' },
      { daily: { line: 3, found: /^function now$/ } },
    ],
    [
      'a column that is not declared',
      { daily: 'SELECT flight_id,\n "é" ||\n airline\nFROM events' },
      { daily: { found: /^Binder Error: .*column "é" not found/, line: 2 } },
    ],
    [
      'a column with a name like it',
      { daily: 'SELECT\n orign\nFROM events' },
      { daily: { found: /"orign" not found in FROM clause! There are "origin"/, line: 2 } },
    ],
    [
      'another type',
      { daily: 'SELECT flight_id\n + 1 AS x\nFROM events' },
      { daily: { line: 2, found: /No function matches/ } },
    ],
    ['the reserved column', { daily: 'SELECT 1 AS "partition"' }, { daily: { found: /^column partition$/ } }],
    [
      'a column that the daily SQL does not give',
      { features: 'SELECT *\nFROM daily\nWHERE rate > 1' },
      { features: { line: 3, found: /column "rate" not found/ } },
    ],
    [
      'features that are not declared, and declared ones that are missing',
      { features: features('1 AS speed') },
      { features: { found: /minute_of_day is missing; .*; speed is not declared$/ } },
    ],
  ];
  it.each(wrong)('finds %s, and its line', async (_, changed, found) => {
    const refused = await refusedSql(reference, { daily: DAILY, features: features('1 AS x'), ...changed });
    for (const [file, { found: text, ...refusal }] of Object.entries(found) as [
      'daily' | 'features',
      { readonly found: RegExp },
    ][]) {
      expect(refused[file]).toMatchObject(refusal);
      expect(refused[file]?.found).toMatch(text);
    }
  });

  it('finds a feature that is a text', async () => {
    const only = { ...reference, features: { ...reference.features, columns: ['distance'] } };
    const refused = await refusedSql(only, { daily: DAILY, features: features("'far' AS distance") });
    expect(refused).toMatchObject({ features: { rule: 'features-numeric', found: 'distance is VARCHAR' } });
  });

  it('inspects the features SQL where the daily SQL is refused', async () => {
    const refused = await refusedSql(reference, {
      daily: 'SELECT x FROM events',
      features: 'SELECT random() FROM events',
    });
    expect(refused).toMatchObject({ daily: { line: 1 }, features: { line: 1, found: 'function random' } });
  });
});
