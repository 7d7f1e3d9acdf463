import type { DuckDBConnection } from '@duckdb/node-api';
import type { ComparisonMeasure, Decisions, ScoreBin } from '#domain/comparison/measure.ts';
import { clipped } from './comparison-sums.ts';
import { rowsOf } from './database.ts';

/** A tenth of a logit: about a hundred bins for most models, as fine where events are rare as where they are not. */
const WIDTH = 0.1;

/** How the predictions of table `compared` are spread, for curves and calibration. */
export async function scoresOf(connection: DuckDBConnection): Promise<NonNullable<ComparisonMeasure['scores']>> {
  const of = async (side: 'champion' | 'candidate'): Promise<ScoreBin[]> => {
    const p = clipped(side);
    const rows = await rowsOf(
      connection,
      `SELECT CAST(floor(ln(${p} / (1 - ${p})) / ${String(WIDTH)}) AS INTEGER) AS bin, count(*) AS rows,
              count(*) FILTER (value) AS positives, sum(${side}) AS predicted
       FROM compared GROUP BY bin ORDER BY bin`,
    );
    return rows.map(({ bin, rows: count, positives, predicted }) => ({
      bin: Number(bin),
      rows: Number(count),
      positives: Number(positives),
      predicted: Number(predicted),
    }));
  };
  return { width: WIDTH, champion: await of('champion'), candidate: await of('candidate') };
}

/** Which rows of table `compared` each model would have flagged at a threshold, by clusters. */
export async function decisionsOf(connection: DuckDBConnection, threshold: number): Promise<Decisions> {
  const flags = (side: string): string =>
    `count(*) FILTER (${side} >= ${String(threshold)}) AS ${side}_flagged, count(*) FILTER (${side} >= ${String(threshold)} AND value) AS ${side}_hits`;
  const rows = await rowsOf(
    connection,
    `SELECT cluster, ${flags('champion')}, ${flags('candidate')} FROM compared GROUP BY cluster ORDER BY cluster`,
  );
  return {
    threshold,
    clusters: rows.map((row) => ({
      cluster: String(row['cluster']),
      champion: { flagged: Number(row['champion_flagged']), hits: Number(row['champion_hits']) },
      candidate: { flagged: Number(row['candidate_flagged']), hits: Number(row['candidate_hits']) },
    })),
  };
}
