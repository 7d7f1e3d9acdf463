import { expect } from 'vitest';
import { EMPTY_CHAIN, followChain } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readRecords } from '#read-model/chain.ts';
import { readLock } from '#read-model/promotions.ts';
import { scene } from './_scene.ts';
import { MODEL } from './_environments.ts';

export let here: Awaited<ReturnType<typeof scene>>;
/** Staging and prod, with data and a baseline. */
export async function begin(): Promise<void> {
  here = await scene();
}

/** What must hold after every ending: the lock is free, and the chain is whole. */
export async function atRest(): Promise<void> {
  const { prod } = here;
  expect((await readLock(prod.ledger, MODEL))?.promotion ?? null).toBeNull();
  const records = await readRecords(prod.ledger, MODEL, 0);
  const head = await prod.ledger.get(keys.chainHead(MODEL));
  expect(followChain(EMPTY_CHAIN, records)).toEqual({ head: { seq: head?.['seq'], hash: head?.['hash'] } });
}
