import type { Digest } from '../canonical/digest.ts';
import type { AggregateDays } from './aggregates.ts';

/** What an answer, or a row of a batch, was made from. Events are texts that are equal for equal events. */
export interface MadeFrom {
  readonly release: Digest;
  readonly event: string;
  readonly context: readonly string[];
  readonly aggregates: AggregateDays;
}

/** Why an answer may be another one than the batch's; in the order in which they are looked for. */
export const CAUSES = {
  'other-release': 'the batch is of another release',
  'not-in-batch': 'the batch of the day has no such event',
  'not-kept': 'what it was made from is not kept',
  'data-replaced': 'the batch is of other data, or of another engine, than a batch of today would be',
  correction: 'the event was corrected after it was answered',
  context: 'the request had another context than the day has',
  aggregates: 'the answer is from other daily aggregates',
  unexplained: 'nothing that it was made from is different',
} as const;
export type Cause = keyof typeof CAUSES;

/** Why an answer differs from the batch's: the first thing that the two were not made from alike. `batch` is undefined where what it was made from is no more. */
export function causeOf(answer: MadeFrom, batchRelease: Digest, batch: MadeFrom | undefined): Cause {
  if (answer.release !== batchRelease) return 'other-release';
  if (batch === undefined) return 'data-replaced';
  if (answer.event !== batch.event) return 'correction';
  if (textOf(answer.context) !== textOf(batch.context)) return 'context';
  if (JSON.stringify(answer.aggregates) !== JSON.stringify(batch.aggregates)) return 'aggregates';
  return 'unexplained';
}

/** The order of a context is the caller's. */
function textOf(rows: readonly string[]): string {
  return JSON.stringify(rows.toSorted());
}
