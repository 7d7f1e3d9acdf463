import { detailsOf, recordOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
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
  const done = await ledger.get(keys.operation(model, verdictOperation(model, epoch)));
  const item = done && (await ledger.get(keys.chainRecord(model, Number(done['seq']))));
  if (item === undefined) return undefined;
  const { verdict, reason, measures } = detailsOf(recordOf(item).record, 'RELEASE_JUDGED');
  return { verdict, reason, evidence: measures.slow ?? measures.fast };
}
