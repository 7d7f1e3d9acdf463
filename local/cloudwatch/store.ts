import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { merged, type Sample } from './statistics.ts';

/** What names a metric: all of its dimensions, and no other ones. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

const Stored = z.strictObject({
  formatVersion: z.literal(1),
  series: z.array(
    z.strictObject({
      key: z.string(),
      samples: z.array(
        z.strictObject({
          at: z.number(),
          count: z.number(),
          sum: z.number(),
          minimum: z.number(),
          maximum: z.number(),
          unit: z.string(),
        }),
      ),
    }),
  ),
});

/** As long as AWS takes data points for, and twice the longest range of an alarm (a week). */
const KEPT_MS = 15 * 24 * 3600 * 1000;
/** How many samples are added between two looks for those that are too old. */
const SWEEP = 10_000;

/** The samples of all accounts, by metric; kept over a stop as one file. */
export class MetricStore {
  readonly #series = new Map<string, Sample[]>();
  readonly #resolution: number;
  #added = 0;

  /** @param resolution milliseconds within which samples of a metric become one: what no period can tell apart. */
  constructor(resolution: number) {
    this.#resolution = resolution;
  }

  add(account: string, metric: Metric, sample: Sample): void {
    const key = keyOf(account, metric);
    const samples = this.#series.get(key) ?? [];
    if (samples.length === 0) this.#series.set(key, samples);
    const slot = this.#slot(sample.at);
    // The newest are looked at first: nearly all that comes is of now.
    for (let index = samples.length - 1; index >= 0; index -= 1) {
      const known = samples[index];
      if (known === undefined || this.#slot(known.at) < slot) break;
      if (this.#slot(known.at) === slot && known.unit === sample.unit) {
        samples[index] = merged(known, sample);
        return;
      }
    }
    samples.push(sample);
    if (samples.length > 1 && (samples.at(-2)?.at ?? 0) > sample.at) samples.sort((a, b) => a.at - b.at);
    this.#added += 1;
    if (this.#added % SWEEP === 0) this.#sweep();
  }

  /** The samples of exactly this metric; of one unit, if it is named. */
  samples(account: string, metric: Metric, unit?: string): readonly Sample[] {
    const samples = this.#series.get(keyOf(account, metric)) ?? [];
    return unit === undefined ? samples : samples.filter((sample) => sample.unit === unit);
  }

  /** Writes everything; a reader finds the whole file or the one before. */
  save(path: string): void {
    const series = [...this.#series].map(([key, samples]) => ({ key, samples }));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.tmp`, JSON.stringify({ formatVersion: 1, series }));
    renameSync(`${path}.tmp`, path);
  }

  /** Reads what was saved; a file that cannot be read is a fault. */
  load(path: string): void {
    if (!existsSync(path)) return;
    for (const { key, samples } of readStored(path)) this.#series.set(key, samples);
    this.#sweep();
  }

  #slot(at: number): number {
    return Math.floor(at / this.#resolution);
  }

  #sweep(): void {
    const oldest = Date.now() - KEPT_MS;
    for (const [key, samples] of this.#series) {
      const left = samples.filter(({ at }) => at >= oldest);
      if (left.length === 0) this.#series.delete(key);
      else if (left.length < samples.length) this.#series.set(key, left);
    }
  }
}

function readStored(path: string): z.infer<typeof Stored>['series'] {
  try {
    return Stored.parse(JSON.parse(readFileSync(path, 'utf8'))).series;
  } catch (error) {
    throw new Error(`${path} is not what a stop saved: ${String(error)}; remove it, and alarms begin without data`, {
      cause: error,
    });
  }
}

const keyOf = (account: string, { namespace, name, dimensions }: Metric): string =>
  JSON.stringify([account, namespace, name, Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
