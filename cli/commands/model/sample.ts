import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';

/** The days of the sample's events: the template's windows begin with them, and they lie behind everybody. */
export const SAMPLE_DAYS = { first: '2024-01-01', last: '2024-02-11' } as const;
const EVENTS_PER_DAY = 300;

/**
 * Writes generated data of the template's model: purchases, and up to two days later whether each was regretted, which is
 * likelier for large ones, at night, and for some customers. The same rows each time.
 */
export async function writeSample(folder: string): Promise<{ readonly days: number; readonly events: number }> {
  const days = daysBetween(SAMPLE_DAYS.first, SAMPLE_DAYS.last);
  // Between zero and one, and the same for the same name: what is called chance here.
  const chance = (name: string): string => `(hash(i, ${literal(name)}) % 1000000 / 1000000.0)`;
  await withDatabase('1GB', async (connection) => {
    await connection.run(`
      CREATE TABLE drawn AS
      SELECT *, 'p' || lpad(CAST(i AS VARCHAR), 6, '0') AS event_id,
             'c' || lpad(CAST(who AS VARCHAR), 3, '0') AS customer,
             round(exp(1.5 + 3.5 * ${chance('amount')}), 2) AS amount
      FROM (
        SELECT i, CAST(floor(120 * ${chance('customer')}) AS INTEGER) AS who,
               TIMESTAMP ${literal(SAMPLE_DAYS.first)} + to_microseconds(CAST((i // ${EVENTS_PER_DAY} + ${chance('time')}) * 86400000000 AS BIGINT)) AS occurred_at
        FROM range(${days.length * EVENTS_PER_DAY}) numbers(i)
      )`);
    await connection.run(`
      CREATE TABLE sample AS
      SELECT *, ${chance('outcome')} < 1 / (1 + exp(-(
               0.6 * ln(amount) - 4.2
               + CASE WHEN hour(occurred_at) < 6 THEN 0.9 ELSE 0 END
               + CASE WHEN who % 4 = 0 THEN 1.3 ELSE 0 END))) AS outcome,
             occurred_at + to_minutes(CAST(60 + 2700 * ${chance('arrival')} AS BIGINT)) AS arrived_at
      FROM drawn`);
    const write = async (kind: string, day: string, columns: string, of: string): Promise<void> => {
      const file = join(folder, kind, `dt=${day}`, 'part-0.parquet');
      await mkdir(join(file, '..'), { recursive: true });
      await connection.run(
        `COPY (SELECT ${columns} FROM sample WHERE CAST(${of} AS DATE) = DATE ${literal(day)} ORDER BY ${of}, event_id) TO ${literal(file)} (FORMAT parquet)`,
      );
    };
    for (const day of days) await write('events', day, 'event_id, occurred_at, customer, amount', 'occurred_at');
    // Labels lie under the day on which they arrived; those of the last days are still to come.
    for (const day of daysBetween(days[0] ?? '', addDays(SAMPLE_DAYS.last, 1)))
      await write('labels', day, 'event_id, outcome, arrived_at', 'arrived_at');
  });
  return { days: days.length, events: days.length * EVENTS_PER_DAY };
}
