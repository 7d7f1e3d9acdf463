import type { Pointer } from '#domain/promotion/pointer.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readIncidents } from '#read-model/incidents.ts';

/**
 * An alarm of the champion that nobody has settled, whenever it was raised: the champion is rolled back, or people look at it. Either way nothing
 * can be compared with it.
 */
export async function whyNotHealthy(
  deps: { readonly ledger: ReadableLedger },
  pointer: Pointer | undefined,
): Promise<Refusal | undefined> {
  if (pointer === undefined) return undefined;
  const alarm = (await readIncidents(deps.ledger, pointer.model)).find(
    ({ kind, epoch, status }) =>
      kind === 'rollback' && epoch === pointer.epoch && status !== 'closed' && status !== 'mitigated',
  );
  return (
    alarm &&
    refusal(
      'champion-healthy',
      `${alarm.incident}: ${alarm.reason}`,
      'settle the incident, and request a new promotion',
    )
  );
}
