import { literal, name, rowsOf, withinMemory } from '#adapters/duckdb/database.ts';
import { checkSchema, type Columns, describe, selectDeclared, source } from '#adapters/duckdb/inputs.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { typeOf } from '#domain/model/definition.ts';
import {
  type ComparedRow,
  MOST_COMPARED,
  TRAINER_PREDICTIONS,
  WRITE_OWN_ROWS,
} from '#domain/model/trainer-predictions.ts';
import type { TrainerFiles } from '#ports/scoring.ts';
import { type Definition, idText, readFeatures } from './feature-rows.ts';
import type { Scorer } from './scorer.ts';

/** Reads the predictions that a trainer left, and scores the same rows; one day's rows are looked at at a time. */
export async function predictAgain(
  scorer: Scorer,
  definition: Definition,
  files: TrainerFiles,
): Promise<
  | { readonly kind: 'predicted'; readonly rows: readonly ComparedRow[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
> {
  const result = await withinMemory({ memory: '512MB', about: () => TRAINER_PREDICTIONS }, async (connection) => {
    const { events } = definition;
    const declared: Columns = {
      [events.id]: typeOf(events.columns[events.id]) ?? 'VARCHAR',
      day: 'DATE',
      probability: 'DOUBLE',
    };
    const described = await describe(connection, files.predictions, TRAINER_PREDICTIONS);
    const refusal = Array.isArray(described) ? checkSchema(described, declared, TRAINER_PREDICTIONS) : described;
    if (!Array.isArray(described) || refusal !== undefined)
      return { rule: 'trainer-predictions-readable', found: refusal?.found ?? '', remedy: WRITE_OWN_ROWS } as const;
    // One row more than is allowed says that there are too many.
    await connection.run(
      `CREATE TABLE trainer AS SELECT ${selectDeclared(described, declared)} FROM ${source(files.predictions)} LIMIT ${MOST_COMPARED + 1}`,
    );
    const own = await rowsOf(
      connection,
      `SELECT coalesce(${idText(events)}, 'NULL') AS id, coalesce(CAST(day AS VARCHAR), 'NULL') AS day, probability FROM trainer`,
    );
    const scored = new Map<string, number>();
    for (const day of new Set(own.map((row) => String(row['day'])))) {
      const file = await files.rowsOf(day);
      if (file === undefined) continue;
      const wanted = `WHERE ${name(events.id)} IN (SELECT ${name(events.id)} FROM trainer WHERE day = DATE ${literal(day)}) ORDER BY ${name(events.id)}`;
      const read = await readFeatures(connection, file, definition, wanted);
      if ('rule' in read) return read;
      const ids = await rowsOf(connection, `SELECT ${idText(events)} AS id FROM ${source(file)} ${wanted}`);
      const scores = await scorer.score(read.values, read.count);
      if (scores.kind === 'refused') return scores.refusal;
      for (const [index, { id }] of ids.entries()) scored.set(keyOf(day, id), scores.predictions[index] ?? Number.NaN);
    }
    const rows = own.map(({ id, day, probability }) => ({
      id: String(id),
      day: String(day),
      trainer: typeof probability === 'number' ? probability : null,
      onnx: scored.get(keyOf(day, id)),
    }));
    return { kind: 'predicted', rows } as const;
  });
  return 'rule' in result ? { kind: 'refused', refusal: result } : result;
}

const keyOf = (day: unknown, id: unknown): string => `${String(day)} ${String(id)}`;
