import type { DuckDBConnection } from '@duckdb/node-api';
import type { StabilityMeasure } from '#domain/drift/drift-work.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { populationStability } from '#domain/statistics/population-stability.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import { name, numberOf, type Refused, rowsOf, withinMemory } from './database.ts';
import { checkSchema, describe, source } from './inputs.ts';

type Definition = Pick<ModelDefinition, 'events' | 'features'>;
type Measured = Omit<StabilityMeasure, 'formatVersion'>;

/** Holds the features of some files against those of others, column by column: one column is in memory at a time. */
export async function measureStability(input: {
  readonly reference: readonly string[];
  readonly current: readonly string[];
  readonly definition: Definition;
}): Promise<{ readonly kind: 'measured'; readonly measure: Measured } | Refused> {
  const { reference, current, definition } = input;
  const declared = Object.fromEntries(definition.features.columns.map((column) => [column, 'DOUBLE' as const]));
  const about = () => `features of ${reference.length} and ${current.length} days`;
  return withinMemory({ memory: ENGINE_MEMORY, about }, async (connection) => {
    for (const file of [...reference, ...current]) {
      const described = await describe(connection, file, `features ${file}`);
      const refusal = Array.isArray(described) ? checkSchema(described, declared, `features ${file}`) : described;
      if (refusal !== undefined) return { kind: 'refused', refusal };
    }
    const inputs: Measured['inputs'] = [];
    let rows = { reference: 0, current: 0 };
    for (const column of definition.features.columns) {
      const [before, after] = [
        await valuesOf(connection, reference, column),
        await valuesOf(connection, current, column),
      ];
      rows = { reference: before.length, current: after.length };
      const found = populationStability(before, after);
      if (found === undefined) continue;
      // A bound that is infinite is null, because JSON knows no infinity.
      const bins = found.bins.map((bin) => ({ ...bin, upTo: Number.isFinite(bin.upTo) ? bin.upTo : null }));
      inputs.push({ input: column, ...found, bins });
    }
    return { kind: 'measured', measure: { rows, inputs } };
  });
}

/** A column's values over some files; what is missing is NaN. */
async function valuesOf(connection: DuckDBConnection, files: readonly string[], column: string): Promise<Float64Array> {
  if (files.length === 0) return new Float64Array();
  const each = files.map((file) => `SELECT CAST(${name(column)} AS DOUBLE) FROM ${source(file)}`);
  const [values = []] = (await connection.runAndReadAll(each.join(' UNION ALL '))).getColumnsJS();
  return Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value)));
}

/** Where two files of features differ. */
interface ComparedFeatures {
  readonly kind: 'compared';
  readonly columns: readonly { readonly column: string; readonly rows: number }[];
  readonly rows: { readonly stored: number; readonly anew: number; readonly unmatched: number };
}

/** Says in which columns the rows of two files of features differ, joined on the row id, and how many are in one only. */
export async function compareFeatures(input: {
  readonly stored: string;
  readonly anew: string;
  readonly definition: Definition;
}): Promise<ComparedFeatures | Refused> {
  const { events, features } = input.definition;
  const names = [...new Set([events.entity, events.time, ...features.columns])].filter(
    (column) => column !== events.id,
  );
  return withinMemory(
    { memory: ENGINE_MEMORY, about: () => 'features of a day, stored and new' },
    async (connection) => {
      await connection.run(`CREATE VIEW stored AS FROM ${source(input.stored)}`);
      await connection.run(`CREATE VIEW anew AS FROM ${source(input.anew)}`);
      const key = name(events.id);
      const rows = (table: string) => numberOf(connection, `SELECT count(*) FROM ${table}`);
      const unmatched = `SELECT count(*) FROM stored FULL JOIN anew USING (${key}) WHERE stored.${key} IS NULL OR anew.${key} IS NULL`;
      const counts = names.map(
        (column) => `count(*) FILTER (stored.${name(column)} IS DISTINCT FROM anew.${name(column)}) AS ${name(column)}`,
      );
      const [differing = {}] = await rowsOf(
        connection,
        `SELECT ${counts.join(', ')} FROM stored JOIN anew USING (${key})`,
      );
      return {
        kind: 'compared',
        columns: names.map((column) => ({ column, rows: Number(differing[column]) })).filter((each) => each.rows > 0),
        rows: {
          stored: await rows('stored'),
          anew: await rows('anew'),
          unmatched: await numberOf(connection, unmatched),
        },
      };
    },
  );
}
