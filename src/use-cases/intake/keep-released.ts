import type { AuditRecord } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { publishedPointerOf } from '#domain/promotion/published-pointer.ts';
import { Released } from '#domain/release/registration.ts';
import { findReleased } from '#read-model/registrations.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

/**
 * Keeps in dev what prod's signed record says that it serves: versions are computed against that. A record that is read
 * again says nothing of what was served since, and changes nothing.
 */
export async function keepReleased(deps: Recording, record: AuditRecord, hash: Digest): Promise<void> {
  const pointer = publishedPointerOf(record, hash);
  if (pointer === undefined) return;
  const { model, environment, release, version, seq } = pointer;
  const known = await findReleased(deps.ledger, model);
  if (known !== undefined && known.seq >= seq) return;
  // A condition that fails means that another reader of the same chain has come this far, or further.
  await recordChange(deps, {
    model,
    operation: operationName('released', hash),
    writes: [
      {
        kind: 'put',
        item: { ...keys.released(model), ...Released.parse({ environment, release, version, seq, record: hash }) },
        condition: known === undefined ? ABSENT : equals({ seq: known.seq }),
      },
    ],
    event: {
      code: 'RELEASED_VERSION_RECORDED',
      actor: 'pipeline:intake',
      release,
      details: { peer: environment, seq: record.seq, record: hash, version },
    },
  });
}
