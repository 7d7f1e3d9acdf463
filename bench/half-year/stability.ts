// Whether the inputs of a run look like those that the run before was tested on: what pages, and decides nothing.
import { name, withDatabase } from '#adapters/duckdb/database.ts';
import { source } from '#adapters/duckdb/inputs.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { populationStability } from '#domain/statistics/population-stability.ts';
import type { HalfYearLake } from './lake.ts';
import type { WeeklyRun } from './runs.ts';

/** Inputs that healthy weeks leave as they are: no rates, no traffic. */
const STABLE = ['minute_of_day', 'minute_of_five', 'weekday', 'distance'] as const;

/** An index above this pages. */
export const PAGED = 0.1;

/** The stable input that moved most. */
export interface Moved {
  readonly week: number;
  readonly input: string;
  readonly index: number;
}

/** Holds the test days of a run, as it reads them, against those of the run before. */
export async function movedInputs(lake: HalfYearLake, run: WeeklyRun, before: WeeklyRun): Promise<Moved> {
  const [current, reference] = [await inputsOf(lake, run), await inputsOf(lake, before)];
  const indices = STABLE.map((input, column) => ({
    week: run.week,
    input,
    index: populationStability(reference[column] ?? NONE, current[column] ?? NONE)?.index ?? Number.NaN,
  }));
  return indices.reduce((most, each) => (each.index > most.index ? each : most));
}

const NONE = new Float64Array();

async function inputsOf(lake: HalfYearLake, { catalogue, test }: WeeklyRun): Promise<Float64Array[]> {
  const features = await lake.features(catalogue, daysBetween(test.events.first, test.events.last));
  return withDatabase('2GB', async (connection) => {
    const columns = STABLE.map((column) => `CAST(${name(column)} AS DOUBLE)`).join(', ');
    const files = features.map(({ file }) => `SELECT ${columns} FROM ${source(file)}`);
    const found = (await connection.runAndReadAll(files.join(' UNION ALL '))).getColumnsJS();
    return found.map((values) => Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value))));
  });
}
