import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PARQUET, literal, numberOf, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { PartitionKind, daysBetween } from '#domain/data/partition.ts';
import type { LandingPartition, Replay } from '#model/replay.ts';

/** Sixty days of payments, 500 a day, by 150 cards of which some are riskier; a dispute is reported within three days. */
const DAYS = { first: '2026-01-01', last: '2026-03-01' };
const PAYMENTS = `
  WITH drawn AS (
    SELECT i AS payment_id, TIMESTAMP '2026-01-01' + to_seconds(CAST(i * 172.8 AS BIGINT)) AS paid_at,
           'card-' || CAST(floor(150 * draw(i, 1)) AS INTEGER) AS card, exp(3 + 2 * draw(i, 2)) AS amount, draw(i, 3) < 0.2 AS abroad
    FROM range(30000) AS t(i)
  )
  SELECT *, draw(payment_id, 4) < 0.02 + 0.25 * CAST(abroad AS INTEGER) * CAST(amount > 60 AS INTEGER)
              + 0.3 * CAST(md5(card) < '1a' AS INTEGER) AS disputed,
         paid_at + to_seconds(CAST(86400 * (0.5 + 2.4 * draw(payment_id, 5)) AS BIGINT)) AS reported_at
  FROM drawn WHERE draw(payment_id, 6) < getvariable('sample')`;
const SELECTS = {
  events: { time: 'paid_at', select: 'SELECT payment_id, card, paid_at, amount, abroad' },
  labels: { time: 'reported_at', select: 'SELECT payment_id, disputed, reported_at' },
} as const;

/** How often a damage gives a dispute to a payment by lot: as often as there are any, or so often that nobody believes it. */
const BY_LOT: Readonly<Record<string, number>> = {
  'mixed-labels': 0.09,
  'shuffled-labels': 0.3,
  'mixed-labels-cents': 0.09,
};
/** Damages by which the payments of the day before the last are in cents besides. */
const IN_CENTS: readonly string[] = ['mixed-labels-cents'];

/** Payments as an outside producer would have landed them. */
export const replay: Replay = {
  damages: Object.keys(BY_LOT),
  prepare: ({ folder, sample, damage }) =>
    withDatabase('1GB', async (connection) => {
      await connection.run("CREATE MACRO draw(i, n) AS CAST('0x' || md5(i || '/' || n)[1:8] AS BIGINT) / 4294967296");
      await connection.run(`SET VARIABLE sample = ${String(sample)}`);
      await connection.run(`CREATE TABLE payments AS ${PAYMENTS}`);
      if (damage !== undefined) {
        const hit = `reported_at >= DATE ${literal(damage.first)} AND reported_at < DATE ${literal(damage.last)} + INTERVAL 1 DAY`;
        const share = String(BY_LOT[damage.kind]);
        await connection.run(`UPDATE payments SET disputed = draw(payment_id, 7) < ${share} WHERE ${hit}`);
        if (IN_CENTS.includes(damage.kind))
          await connection.run(
            `UPDATE payments SET amount = 100 * amount WHERE CAST(paid_at AS DATE) = DATE ${literal(damage.last)} - 1`,
          );
      }
      const partitions: LandingPartition[] = [];
      for (const kind of PartitionKind.options) {
        const { time, select } = SELECTS[kind];
        for (const day of daysBetween(DAYS.first, DAYS.last)) {
          const rows = `${select} FROM payments WHERE CAST(${time} AS DATE) = DATE ${literal(day)} ORDER BY payment_id`;
          const count = await numberOf(connection, `SELECT count(*) FROM (${rows})`);
          const file = join(folder, kind, `dt=${day}`, 'part-000.parquet');
          if (count === 0) continue;
          await mkdir(dirname(file), { recursive: true });
          await connection.run(`COPY (${rows}) TO ${literal(file)} (${PARQUET})`);
          partitions.push({ kind, day, file, sha256: digestOf(await readFile(file)), rows: count });
        }
      }
      return partitions;
    }),
};
