import type { ReconciliationPlan } from './reconciliation.ts';

/** A batch run that ended: what it published, and how long it took. */
export interface PastRun {
  readonly partitions: number;
  readonly seconds: number;
}

/** What a plan is expected to take. */
export interface Estimate {
  /** Null while no run has ended that could be judged by. */
  readonly seconds: number | null;
  /** In US dollars, by AWS's list prices; null while the time is. */
  readonly dollars: number | null;
}

/**
 * List prices of us-east-1, x86, on demand: Lambda per GB-second, a Standard state transition, an S3 PUT, a DynamoDB
 * write unit (a manifest in a transaction is four: two KB, doubled). Sources: the pricing pages of the four services.
 */
const PRICE = { gigabyteSecond: 0.000_016_666_7, transition: 0.000_025, put: 0.000_005, writeUnit: 0.000_000_625 };
/** The functions that build and score have 2 GB, and two of them work at once. */
const GIGABYTES = 2 * 2;
/** A partition's share of batches and states, its two objects (features, predictions) and its manifest. */
const PER_PARTITION = { transitions: 0.5, puts: 2, writeUnits: 4 };

/**
 * Estimates a plan's time from the runs before: what the quickest took whatever it did, and what each partition took
 * beyond that. The cost is an upper bound: it takes both functions as busy for the whole time.
 */
export function estimateRun({ toScore }: Pick<ReconciliationPlan, 'toScore'>, past: readonly PastRun[]): Estimate {
  if (toScore === 0) return { seconds: 0, dollars: 0 };
  const runs = past.filter(({ partitions, seconds }) => partitions > 0 && seconds > 0);
  if (runs.length === 0) return { seconds: null, dollars: null };
  const fixed = Math.min(...past.filter(({ seconds }) => seconds > 0).map(({ seconds }) => seconds));
  const partitions = runs.reduce((sum, run) => sum + run.partitions, 0);
  const beyond = runs.reduce((sum, run) => sum + run.seconds - fixed, 0);
  const seconds = fixed + (beyond / partitions) * toScore;
  const { transitions, puts, writeUnits } = PER_PARTITION;
  const perPartition = transitions * PRICE.transition + puts * PRICE.put + writeUnits * PRICE.writeUnit;
  return { seconds, dollars: seconds * GIGABYTES * PRICE.gigabyteSecond + toScore * perPartition };
}
