import { detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findRecordOf } from '#read-model/chain.ts';
import { operationName } from '#use-cases/audit/record-change.ts';

/** The verdict on a release that is served: there is one for an epoch, whoever acts on it. */
export interface RecordedVerdict {
  readonly verdict: 'CONFIRM' | 'ROLL_BACK';
  readonly reason: string;
  readonly evidence: Digest | null;
}

/** The operation under which an epoch's verdict is recorded. */
export function verdictOperation(model: string, epoch: number): string {
  return operationName('judge', model, epoch);
}

/** The verdict that was recorded of an epoch, where there is one. */
export async function recordedVerdict(
  ledger: Ledger,
  model: string,
  epoch: number,
): Promise<RecordedVerdict | undefined> {
  const record = await findRecordOf(ledger, model, verdictOperation(model, epoch));
  if (record === undefined) return undefined;
  const { verdict, reason, measures } = detailsOf(record, 'RELEASE_JUDGED');
  return { verdict, reason, evidence: measures.slow ?? measures.fast };
}
