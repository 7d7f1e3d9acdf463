// Deliberately broken variants: the rules that the use-cases keep are taken away where they reach the ledger, and the
// record is sealed anew, so that nothing but the broken rule itself can be noticed.
import { recordOf } from '#domain/audit/chain.ts';
import { changesOf } from '#domain/audit/changes.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { type Item, keyOf, textOf, type Write } from '#domain/ledger/item.ts';
import { authorityOf } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { POLICY_BY_DIGEST } from './_fixtures.ts';
import type { Mutant } from './_environments.ts';

/** What an act writes, changed; `code` is its record's, or nothing for a write without one. */
type Change = (writes: readonly Write[], code: string | undefined) => readonly Write[];

const authority = (write: Write): string => authorityOf(keyOf(write).pk);
const isRecord = (write: Write): write is Write & { readonly kind: 'put' } =>
  write.kind === 'put' && 'document' in write.item;
const without =
  (authorities: readonly string[], codes?: readonly string[]): Change =>
  (writes, code) =>
    codes !== undefined && !codes.includes(code ?? '')
      ? writes
      : writes.filter((write) => !authorities.includes(authority(write)));
/** Lets a put take effect whatever stands there; checks of these items are left out. */
const unconditional =
  (authorities: readonly string[], codes?: readonly string[]): Change =>
  (writes, code) =>
    codes !== undefined && !codes.includes(code ?? '')
      ? writes
      : writes.flatMap((write) => {
          if (!authorities.includes(authority(write))) return [write];
          return write.kind === 'put' ? [{ kind: 'put', item: write.item }] : [];
        });
const edited =
  (name: string, edit: (item: Item) => Item): Change =>
  (writes) =>
    writes.map((write) =>
      write.kind === 'put' && authority(write) === name ? { ...write, item: edit(write.item) } : write,
    );

/** The same act with a record that commits to what is really put. */
function sealed(writes: readonly Write[]): readonly Write[] {
  const stored = writes.find(isRecord);
  if (stored === undefined) return writes;
  const changes = changesOf(writes.filter((write) => !['CHAIN', 'OPERATION'].includes(authority(write))));
  const { record } = recordOf(stored.item);
  const document = canonicalJson({ ...record, changes: digestOf(changes) });
  const hash = digestOf(document);
  return writes.map((write): Write => {
    if (write === stored) return { ...stored, item: { ...stored.item, document, hash, changes } };
    const isLinked = write.kind === 'put' && ['CHAIN', 'OPERATION'].includes(authority(write));
    return isLinked ? { ...write, item: { ...write.item, hash } } : write;
  });
}

/** A ledger whose writes are changed on their way. */
const writing =
  (change: Change, isSealed = true) =>
  (ledger: Ledger): Ledger => ({
    ...ledger,
    async transact(writes, token) {
      const code = writes.find(isRecord)?.item['code'];
      const changed = change(writes, typeof code === 'string' ? code : undefined);
      if (changed.length === 0) return { kind: 'committed' };
      return ledger.transact(isSealed && changed !== writes ? sealed(changed) : changed, token);
    },
  });

/** A ledger whose items are changed when they are read. */
const reading =
  (change: (item: Item | undefined, pk: string) => Item | undefined) =>
  (ledger: Ledger): Ledger => ({
    ...ledger,
    get: async (key) => change(await ledger.get(key), key.pk),
    getMany: async (keys) => (await ledger.getMany(keys)).map((item, index) => change(item, keys[index]?.pk ?? '')),
    query: async (pk, range) => (await ledger.query(pk, range)).flatMap((item) => change(item, pk) ?? []),
  });

const only =
  (name: string, change: (item: Item) => Item | undefined) =>
  (item: Item | undefined, pk: string): Item | undefined =>
    item !== undefined && authorityOf(pk) === name ? change(item) : item;

const both =
  (one: (ledger: Ledger) => Ledger, other: (ledger: Ledger) => Ledger) =>
  (ledger: Ledger): Ledger =>
    one(other(ledger));

const FAR = '2099-01-01T00:00:00.000Z';

/** Every rule that is taken away, by what is then wrong. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a commit does not check who holds the lock',
    ledger: writing((writes, code) =>
      unconditional(['LOCK', 'PROMOTION'], ['RELEASE_PROMOTED', 'EVIDENCE_RECORDED', 'APPROVAL_REQUESTED'])(
        writes,
        code,
      ),
    ),
  },
  { name: 'opening does not check who holds the lock', ledger: writing(unconditional(['LOCK'], ['PROMOTION_OPENED'])) },
  { name: 'a newer promotion leaves the older one open', ledger: writing(newest) },
  { name: 'a lock is not freed', ledger: writing(without(['LOCK'], ['PROMOTION_REFUSED', 'RELEASE_PROMOTED'])) },
  { name: 'a fencing token is used again', ledger: writing(edited('LOCK', (item) => ({ ...item, fencingToken: 1 }))) },
  { name: 'the pointer is written over whatever is there', ledger: writing(unconditional(['POINTER'])) },
  {
    name: 'half of the traffic is for nobody',
    ledger: writing(
      edited('POINTER', (item) => ({
        ...item,
        traffic: { ...(item['traffic'] as object), arms: [{ release: textOf(item, 'current'), share: 0.5 }] },
      })),
    ),
  },
  { name: 'approvals are not used up', ledger: writing(without(['APPROVAL'], ['RELEASE_PROMOTED'])) },
  {
    name: 'the requester may approve',
    ledger: reading((item, pk) =>
      item !== undefined && ['PROMOTION', 'REQUEST'].includes(authorityOf(pk)) && 'requestedBy' in item
        ? { ...item, requestedBy: 'person:nobody' }
        : item,
    ),
  },
  {
    name: 'one person is enough',
    ledger: reading(
      only('PROMOTION', (item) => ({
        ...item,
        approvals: ((item['approvals'] ?? []) as readonly { role: string; count: number }[]).slice(0, 1),
      })),
    ),
  },
  {
    name: 'an approval never expires',
    ledger: both(reading(neverExpiring), writing(unconditional(['APPROVAL'], ['RELEASE_PROMOTED']))),
  },
  { name: 'a rejection is not heard', ledger: reading(only('APPROVAL', (item) => ({ ...item, decision: 'approve' }))) },
  {
    name: 'evidence never expires',
    ledger: both(
      reading(only('EVIDENCE', (item) => ({ ...item, expiresAt: FAR }))),
      writing(unconditional(['EVIDENCE'], ['RELEASE_PROMOTED'])),
    ),
  },
  {
    name: 'evidence that was given on something else is accepted',
    ledger: (ledger) => ({
      ...writing(unconditional(['EVIDENCE'], ['RELEASE_PROMOTED']))(ledger),
      async getMany(keys) {
        const items = await ledger.getMany(keys);
        const promotion = (await ledger.get({ pk: 'LOCK#toy', sk: 'LOCK' }))?.['promotion'];
        return Promise.all(
          items.map(async (item, index) => {
            const key = keys[index];
            if (item !== undefined || key === undefined || authorityOf(key.pk) !== 'EVIDENCE') return item;
            const [, release, policy] = key.sk.split('#');
            const [other] = await ledger.query(key.pk, { limit: 1 });
            return other && release && policy && promotion
              ? { ...other, ...key, release, policy, promotion, expiresAt: FAR }
              : undefined;
          }),
        );
      },
    }),
  },
  {
    name: 'a failing verdict is kept as a passing one',
    ledger: writing(edited('EVIDENCE', (item) => ({ ...item, verdict: 'PASS' }))),
  },
  { name: 'evidence is not recorded', ledger: writing(without(['EVIDENCE'], ['EVIDENCE_RECORDED'])) },
  {
    name: 'a quarantine is not looked at',
    ledger: both(
      reading(only('QUARANTINE', () => undefined)),
      writing((writes) => writes.filter((write) => write.kind === 'put' || authority(write) !== 'QUARANTINE')),
    ),
  },
  { name: 'a rollback quarantines nothing', ledger: writing(without(['QUARANTINE'], ['RELEASE_ROLLED_BACK'])) },
  {
    name: 'an alarm of another epoch rolls back what is there',
    started: (input, pointer) =>
      'rollback' in input ? { ...input, from: pointer?.current, epoch: pointer?.epoch } : input,
  },
  {
    name: 'a hotfix leaves no pending propagation',
    ledger: writing(edited('POINTER', (item) => ({ ...item, pendingPropagation: null }))),
  },
  {
    name: 'a pending propagation refuses nothing',
    ledger: both(
      reading(only('POINTER', (item) => ({ ...item, pendingPropagation: null }))),
      writing((writes) => writes.filter((write) => write.kind === 'put' || authority(write) !== 'UPSTREAM')),
    ),
  },
  {
    name: 'one person brings a policy into force',
    ledger: both(
      (ledger) => ({
        ...ledger,
        async query(pk, range) {
          const items = await ledger.query(pk, range);
          const [first] = pk.startsWith('POLICY#') ? items : [];
          if (first === undefined) return items;
          const role = first['role'] === 'risk' ? 'platform' : 'risk';
          return [...items, { ...first, subject: 'person:ghost', role }];
        },
      }),
      // The ghost's vote stands nowhere.
      writing((writes, code) =>
        code === 'POLICY_ACTIVATED'
          ? writes.filter((write) => write.kind === 'put' || authority(write) !== 'POLICY')
          : writes,
      ),
    ),
  },
  {
    name: 'an audit record is left out',
    ledger: writing((writes, code) =>
      code === 'POLICY_ACTIVATED' ? without(['CHAIN', 'OPERATION'])(writes, code) : writes,
    ),
  },
  { name: 'a change is left out of its record', ledger: writing(withoutChanges, false) },
  { name: 'the chain’s head is written over', ledger: writing(unconditional(['CHAIN'])) },
  {
    name: 'an operation is done as often as it is asked for',
    ledger: both(
      reading(only('OPERATION', () => undefined)),
      writing(unconditional(['OPERATION', 'PROMOTION', 'LOCK', 'APPROVAL', 'REQUEST', 'UPSTREAM', 'PEER', 'INCIDENT'])),
    ),
  },
  {
    name: 'a cursor is moved over what was not handled',
    ledger: writing(without(['UPSTREAM'], ['UPSTREAM_RELEASED'])),
  },
  {
    name: 'what was rolled back upstream stays asked for',
    ledger: writing(without(['UPSTREAM'], ['UPSTREAM_ROLLED_BACK'])),
  },
  {
    name: 'a commit does not check again what was rolled back upstream',
    ledger: both(
      reading(only('UPSTREAM', (item) => ({ ...item, withdrawn: null }))),
      writing((writes) => writes.filter((write) => write.kind === 'put' || authority(write) !== 'UPSTREAM')),
    ),
  },
  {
    name: 'a commit does not ask which policy is in force',
    ledger: (ledger) => ({
      ...writing((writes, code) =>
        code === 'RELEASE_PROMOTED' ? writes.filter((write) => authority(write) !== 'POLICY') : writes,
      )(ledger),
      async getMany(keys) {
        const items = await ledger.getMany(keys);
        const held = (await ledger.get({ pk: 'LOCK#toy', sk: 'LOCK' }))?.['promotion'];
        const pinned = typeof held === 'string' ? await ledger.get({ pk: 'PROMOTION#toy', sk: held }) : undefined;
        const rules = pinned === undefined ? undefined : POLICY_BY_DIGEST.get(textOf(pinned, 'policy'));
        return items.map((item) =>
          item === undefined || item.sk !== 'ACTIVE' || pinned === undefined || rules === undefined
            ? item
            : ({ ...item, policy: pinned['policy'], rules } as unknown as Item),
        );
      },
    }),
  },
  {
    name: 'a promotion says who requested it, whatever the record says',
    ledger: reading(only('PROMOTION_REQUEST', (item) => ({ ...item, requestedBy: 'person:ghost' }))),
  },
  {
    name: 'a request stays open when its promotion has ended',
    ledger: writing(without(['REQUEST'], ['REQUEST_CLOSED'])),
  },
  {
    name: 'a promotion changes after its end',
    ledger: both(
      reading(only('PROMOTION', (item) => (item['status'] === 'refused' ? { ...item, status: 'open' } : item))),
      writing(unconditional(['PROMOTION', 'LOCK', 'OPERATION'])),
    ),
  },
];

/** What people said, and were asked, has no end. */
function neverExpiring(item: Item | undefined, pk: string): Item | undefined {
  if (item !== undefined && authorityOf(pk) === 'APPROVAL') return { ...item, expiresAt: FAR };
  const request = item?.['approvalRequest'] as Readonly<Record<string, string>> | null | undefined;
  return item !== undefined && authorityOf(pk) === 'PROMOTION' && request !== null && request !== undefined
    ? { ...item, approvalRequest: { ...request, expiresAt: FAR } }
    : item;
}

/** Opening without what it does to the promotion that held the lock. */
function newest(writes: readonly Write[], code: string | undefined): readonly Write[] {
  if (code !== 'PROMOTION_OPENED') return writes;
  return writes.filter((write) => !(write.kind === 'put' && write.item['status'] === 'superseded'));
}

/** The chain's item with fewer changes than were made, and a record that fits them. */
function withoutChanges(writes: readonly Write[], code: string | undefined): readonly Write[] {
  if (code !== 'EVIDENCE_RECORDED') return writes;
  const evidence = writes.filter((write) => authority(write) === 'EVIDENCE');
  const rest = sealed(writes.filter((write) => authority(write) !== 'EVIDENCE'));
  return [...rest, ...evidence];
}
