import type { DuckDBConnection } from '@duckdb/node-api';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { PartitionKind } from '#domain/data/partition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { isOutOfMemory, literal, name, numberOf, PARQUET, type Refused, withinMemory } from './database.ts';
import {
  type Column,
  type Columns,
  corrupt,
  describe,
  loadEvents,
  loadLabels,
  NO_TYPE,
  selectDeclared,
  source,
  tooLarge,
  typed,
} from './inputs.ts';

type Definition = Pick<ModelDefinition, 'events' | 'labels'>;

interface Item {
  readonly kind: PartitionKind;
  readonly day: string;
  readonly files: readonly string[];
  /** The file to make. */
  readonly out: string;
}

/** A partition as one file: how many rows are in it. */
interface Staged {
  readonly kind: 'built';
  readonly rows: number;
}

/**
 * Writes each partition as one file of the rows that features would read of it: the declared columns in the declared types,
 * and after them what the producer delivered besides. What features refuse is refused here in the same words, and the other
 * partitions are written all the same.
 */
export async function stagePartitions(input: {
  readonly definition: Definition;
  readonly items: readonly Item[];
  readonly memory?: string;
}): Promise<(Staged | Refused)[]> {
  const { definition, items, memory = ENGINE_MEMORY } = input;
  let about = '';
  const result = await withinMemory({ memory, about: () => about }, async (connection) => {
    const results: (Staged | Refused)[] = [];
    for (const item of items) {
      about = `${item.kind} of ${item.day}`;
      const staged = await stage(connection, definition, item);
      results.push('rule' in staged ? { kind: 'refused', refusal: staged } : staged);
      await connection.run(`DROP TABLE IF EXISTS ${item.kind}`);
      await connection.run('DROP TABLE IF EXISTS file_rows');
    }
    return results;
  });
  if (Array.isArray(result)) return result;
  if (items.length < 2) return items.map(() => result);
  // Whether a partition is refused depends on that partition alone.
  const single: (Staged | Refused)[] = [];
  for (const item of items) single.push(...(await stagePartitions({ ...input, items: [item] })));
  return single;
}

async function stage(
  connection: DuckDBConnection,
  definition: Definition,
  { kind, day, files, out }: Item,
): Promise<Staged | Refusal> {
  const inputs = files.map((file) => ({ day, file }));
  const load = kind === 'events' ? loadEvents : loadLabels;
  const refusal = await load(connection, definition, inputs);
  if (refusal !== undefined) return refusal;
  const what = `${kind} of ${day}`;
  const described: Column[][] = [];
  for (const file of files) {
    const columns = await describe(connection, file, what);
    if (!Array.isArray(columns)) return columns;
    described.push(columns);
  }
  const { columns } = definition[kind];
  const more = [...undeclared(columns, described)];
  const reads = files.map((file, index) => {
    const own = described[index] ?? [];
    const besides = more.map(([key, { column, type }]) => {
      const found = own.find((each) => each.column.toLowerCase() === key);
      return `${typed(found?.column ?? column, found?.type, type)} AS ${name(column)}`;
    });
    return `SELECT ${[selectDeclared(own, columns), ...besides].join(', ')} FROM ${source(file)}`;
  });
  try {
    await connection.run(`COPY (${reads.join(' UNION ALL ')}) TO ${literal(out)} (${PARQUET})`);
  } catch (error) {
    return isOutOfMemory(error) ? tooLarge(connection, what, files[0] ?? '') : corrupt(what, error);
  }
  return { kind: 'built', rows: await numberOf(connection, `SELECT count(*) FROM ${kind}`) };
}

const NUMBER = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*)$/;

/**
 * What files have that is not declared, by names in lower case: in the type that they agree on, else as numbers where all
 * are, else as text.
 */
function undeclared(declared: Columns, files: readonly (readonly Column[])[]): ReadonlyMap<string, Column> {
  const others = files.flat().filter(({ column }) => declared[column] === undefined);
  const found = Map.groupBy(others, ({ column }) => column.toLowerCase());
  return new Map(
    [...found].map(([key, same]) => {
      const types = [...new Set(same.map(({ type }) => type).filter((type) => type !== NO_TYPE))];
      const [first = 'INTEGER'] = types;
      const mixed = types.every((type) => NUMBER.test(type)) ? 'DOUBLE' : 'VARCHAR';
      return [key, { column: same[0]?.column ?? key, type: types.length > 1 ? mixed : first }];
    }),
  );
}
