// What must hold of an environment's ledger, written a second time: from what is put into it, not from the use-cases.
import { hash as digest } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Item, textOf, type Write } from '#domain/ledger/item.ts';
import type { Name } from './_commands.ts';
import { judgeAct } from './_acts.ts';
import type { ChainRecord, Pointer, Promotion } from './_documents.ts';

/** The authorities under which stands what was decided. */
const GOVERNED = new Set(
  'POINTER REGISTRATION VERSION RELEASED EVIDENCE APPROVAL PROMOTION PROMOTION_REQUEST LOCK POLICY QUARANTINE QUARANTINE_VOTE INCIDENT UPSTREAM PEER REQUEST DECISION'.split(
    ' ',
  ),
);
const OPEN = new Set(['open', 'awaiting-approval']);

/** An environment as its transactions have left it. */
export interface Reference {
  readonly name: Name;
  readonly items: Map<string, Item>;
  /** The chain's records, and each one's place by its hash. */
  readonly chain: ChainRecord[];
  readonly places: Map<string, number>;
  readonly open: Map<string, Promotion>;
  readonly quarantined: Set<string>;
  /** What each rollback is about. */
  readonly attributed: Map<string, { readonly from: unknown; readonly epoch: unknown }>;
  head: string;
  highestToken: number;
  pointer: Pointer | undefined;
  /** The references of all environments: what one believes must have been said by another. */
  others: Readonly<Record<Name, Reference>>;
  observe(writes: readonly Write[], now: number): void;
  meet(others: Readonly<Record<Name, Reference>>, violations: string[]): void;
}

const sha256 = (text: string): string => `sha256:${digest('sha256', text)}`;
const authorityOf = (item: { readonly pk: string }): string => item.pk.slice(0, item.pk.indexOf('#'));
const keyOf = (item: { readonly pk: string; readonly sk: string }): string => `${item.pk} ${item.sk}`;

/** An environment in which nothing has happened, or one that goes on from where another stands. */
export function reference(name: Name, from?: Reference): Reference {
  let violations: string[] = [];
  const broken = (what: string): void => void violations.push(`${name}: ${what}`);
  const own: Reference = {
    name,
    items: new Map(from?.items),
    chain: [...(from?.chain ?? [])],
    places: new Map(from?.places),
    open: new Map(from?.open),
    quarantined: new Set(from?.quarantined),
    attributed: new Map(from?.attributed),
    head: from?.head ?? sha256('gatehouse audit chain'),
    highestToken: from?.highestToken ?? 0,
    pointer: from?.pointer,
    others: {} as Record<Name, Reference>,
    meet(others, list) {
      own.others = others;
      violations = list;
    },
    observe(writes, now) {
      const puts = writes.flatMap((write) => (write.kind === 'put' ? [write.item] : []));
      const governed = puts.filter((item) => GOVERNED.has(authorityOf(item)));
      const records = puts.filter((item) => authorityOf(item) === 'CHAIN' && item.sk !== 'HEAD');
      if (records.length !== 1) {
        const others = puts.filter((item) => ['CHAIN', 'OPERATION'].includes(authorityOf(item)));
        if (governed.length > 0 || others.length > 0 || records.length > 0)
          broken(`${records.length} records with changes of ${[...governed, ...others].map(keyOf).join(', ')}`);
        for (const item of puts) own.items.set(keyOf(item), item);
        return;
      }
      const record = append(records[0] as Item, puts, governed);
      // An act is judged at the time that its record states: between that and the transaction's end no clock can be asked.
      if (record.at > new Date(now).toISOString()) broken(`record ${record.seq} is of the future`);
      judgeAct(own, { record, governed, now: record.at }, broken);
      for (const item of puts) own.items.set(keyOf(item), item);
      for (const item of governed) settle(item, record);
      standing();
    },
  };

  /** The record goes on from the last one, and says by its digest exactly what was put beside it. */
  const append = (item: Item, puts: readonly Item[], governed: readonly Item[]): ChainRecord => {
    const document = textOf(item, 'document');
    const record = JSON.parse(document) as ChainRecord;
    const hash = sha256(document);
    const head = puts.find((put) => authorityOf(put) === 'CHAIN' && put.sk === 'HEAD');
    const operations = puts.filter((put) => authorityOf(put) === 'OPERATION');
    if (record.seq !== own.chain.length || Number(item.sk) !== record.seq)
      broken(`record ${record.seq} stands at ${item.sk}, the chain has ${own.chain.length}`);
    if (record.previous !== own.head) broken(`record ${record.seq} does not follow from the last one`);
    if (item['hash'] !== hash) broken(`record ${record.seq} has another hash beside it`);
    if (head?.['seq'] !== record.seq || head['hash'] !== hash) broken(`the head does not say record ${record.seq}`);
    if (operations.length !== 1 || operations[0]?.sk !== record.operation || operations[0]['hash'] !== hash)
      broken(`record ${record.seq} is not of one operation`);
    if (operations.some((operation) => own.items.has(keyOf(operation)))) broken(`${record.operation} was done twice`);
    const changes = textOf(item, 'changes');
    if (sha256(changes) !== record.changes) broken(`record ${record.seq} commits to other changes`);
    if (!isDeepStrictEqual(JSON.parse(changes), governed))
      broken(`record ${record.seq} keeps other changes than it put`);
    own.chain.push(record);
    own.places.set(hash, record.seq);
    own.head = hash;
    return record;
  };

  const settle = (item: Item, record: ChainRecord): void => {
    switch (authorityOf(item)) {
      case 'POINTER':
        own.pointer = item as unknown as Pointer;
        return;
      case 'QUARANTINE':
        if (item['status'] === 'lifted') own.quarantined.delete(item.sk);
        else own.quarantined.add(item.sk);
        return;
      case 'LOCK':
        own.highestToken = Math.max(own.highestToken, Number(item['fencingToken']));
        return;
      case 'PROMOTION': {
        const promotion = item as unknown as Promotion;
        if (OPEN.has(promotion.status)) own.open.set(promotion.promotion, promotion);
        else if (!own.open.delete(promotion.promotion)) broken(`${promotion.promotion} ended twice (${record.code})`);
        return;
      }
      default:
    }
  };

  /** What holds between two acts, whatever they were. */
  const standing = (): void => {
    const lock = own.items.get('LOCK#toy LOCK');
    if (own.open.size > 1) broken(`${[...own.open.keys()].join(' and ')} are open together`);
    for (const [promotion, { fencingToken }] of own.open) {
      if (lock?.['promotion'] !== promotion || lock['fencingToken'] !== fencingToken)
        broken(`${promotion} is open without the lock`);
    }
    const holder = lock?.['promotion'] ?? null;
    if (typeof holder === 'string' && !own.open.has(holder)) broken(`the lock is held by ${holder}, which is not open`);
    if (own.pointer !== undefined && own.quarantined.has(own.pointer.current))
      broken(`${own.pointer.version} is served and quarantined`);
  };
  return own;
}
