import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { ABSENT, type Condition, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findOperation, findRecord } from '#read-model/chain.ts';
import { readUpstream } from '#read-model/upstream.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { answerWaiting } from '#use-cases/promotion/answer-if-decided.ts';

/** Keeps what a peer's signed record says of a release: that it was registered, offered or promoted there. */
export async function keepUpstream(deps: Recording, record: AuditRecord, hash: Digest): Promise<Upstream | undefined> {
  const upstream = upstreamOf(record, hash);
  if (upstream === undefined) return undefined;
  const key = keys.upstream(record.model, upstream.release, record.environment);
  const keep = (condition: Condition) =>
    recordChange(deps, {
      model: record.model,
      operation: operationName('upstream', hash),
      writes: [{ kind: 'put', item: { ...key, ...upstream }, condition }],
      event: upstreamEvent('UPSTREAM_RELEASED', record, hash, upstream),
    });
  if ((await keep(ABSENT)).kind !== 'refused') return upstream;
  // An earlier record said so of the same digest: that one stands, unless the peer rolled it back in between.
  const [earlier] = await readUpstream(deps.ledger, record.model, upstream.release, [record.environment]);
  if (earlier !== undefined && (await isAfterWithdrawal(deps.ledger, record, earlier)))
    await keep(equals({ record: earlier.record, withdrawn: earlier.withdrawn }));
  return upstream;
}

/** Whether a peer has promoted a release after it had rolled it back: its quarantine there was lifted in between. */
async function isAfterWithdrawal(ledger: Ledger, record: AuditRecord, { withdrawn }: Upstream): Promise<boolean> {
  if (withdrawn === null || record.code !== 'RELEASE_PROMOTED') return false;
  const done = await findOperation(ledger, record.model, withdrawalOperation(withdrawn));
  const said = done === undefined ? undefined : await findRecord(ledger, record.model, done.seq);
  return said !== undefined && record.seq > detailsOf(said, 'UPSTREAM_ROLLED_BACK').seq;
}

/** The operation under which it is recorded that a peer rolled a release back. */
function withdrawalOperation(record: Digest): string {
  return operationName('withdrawn', record);
}

/**
 * A release that was rolled back upstream cannot be promoted here: an open promotion of it that waits for people ends, and
 * any other is refused by its gates or its commit. What was promoted already stays, and is for people to judge.
 */
export async function withdrawnByPeer(
  deps: Recording & { readonly machines: StateMachines },
  record: AuditRecord,
  hash: Digest,
): Promise<void> {
  const { from } = detailsOf(record, 'RELEASE_ROLLED_BACK');
  const [upstream] = await readUpstream(deps.ledger, record.model, from, [record.environment]);
  if (upstream === undefined) return;
  if (upstream.withdrawn === null) {
    const key = keys.upstream(record.model, upstream.release, record.environment);
    await recordChange(deps, {
      model: record.model,
      operation: withdrawalOperation(hash),
      writes: [
        { kind: 'put', item: { ...key, ...upstream, withdrawn: hash }, condition: equals({ record: upstream.record }) },
      ],
      event: upstreamEvent('UPSTREAM_ROLLED_BACK', record, hash, upstream),
    });
  }
  // Also where the withdrawal was recorded before: whoever recorded it may not have come this far.
  await answerWaiting(deps, record.model);
}

function upstreamEvent(
  code: 'UPSTREAM_RELEASED' | 'UPSTREAM_ROLLED_BACK',
  { environment: peer, seq }: AuditRecord,
  record: Digest,
  { release, version }: Upstream,
): AuditEvent {
  return { code, actor: 'pipeline:intake', release, details: { peer, seq, record, version } };
}

function upstreamOf(record: AuditRecord, hash: Digest): Upstream | undefined {
  if (record.release === null) return undefined;
  const base = {
    environment: record.environment,
    release: record.release,
    seq: record.seq,
    record: hash,
    withdrawn: null,
  };
  switch (record.code) {
    case 'BASELINE_REGISTERED': {
      const { version, asOf, commit } = detailsOf(record, record.code);
      const made = commit === undefined ? {} : { commit };
      return Upstream.parse({ ...base, code: record.code, kind: 'baseline', version, asOf, ...made });
    }
    case 'RELEASE_REGISTERED':
    case 'RELEASE_OFFERED': {
      const { version, asOf, dataCheck, commit } = detailsOf(record, record.code);
      const evidence = {
        ...(dataCheck === undefined ? {} : { dataCheck }),
        ...(commit === undefined ? {} : { commit }),
      };
      return Upstream.parse({ ...base, code: record.code, kind: 'trained', version, asOf, ...evidence });
    }
    case 'RELEASE_PROMOTED': {
      const { version, asOf, kind } = detailsOf(record, record.code);
      return Upstream.parse({ ...base, code: record.code, kind, version, asOf });
    }
    default:
      return undefined;
  }
}
