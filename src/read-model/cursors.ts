import { z } from 'zod';
import type { ChainHead } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** How far people have been alerted, and the record whose alert is being sent. */
export const AlertCursor = z.object({
  seq: z.int().min(-1),
  sending: z.int().nonnegative().nullable(),
  by: z.string(),
  until: z.iso.datetime(),
});
export type AlertCursor = z.infer<typeof AlertCursor>;

/** The run that drift started last, and the logical time of the check that it answers. */
const DriftAnswer = z.object({ run: z.string(), asOf: z.string() });
type DriftAnswer = z.infer<typeof DriftAnswer>;

const Place = z.looseObject({ seq: z.int().min(-1) });

/** How far people have been alerted of a model's chain. */
export async function findAlertCursor(ledger: ReadableLedger, model: string): Promise<AlertCursor | undefined> {
  return find(ledger, keys.cursor('alerted', model), AlertCursor);
}

/**
 * How far a model's chain was read for signals of incidents, and the pointer's epoch there; and, until its head was reached once, before when
 * records are history.
 */
export const SignalCursor = z.object({
  seq: z.int().min(-1),
  epoch: z.int().nonnegative(),
  historyBefore: z.iso.datetime().nullable(),
});
export type SignalCursor = z.infer<typeof SignalCursor>;

/** Where the reading of a model's signals ended. */
export async function findSignalCursor(ledger: ReadableLedger, model: string): Promise<SignalCursor | undefined> {
  return find(ledger, keys.cursor('incidents', model), SignalCursor);
}

/** The models whose signals were ever read, those that were removed among them. */
export async function listSignalledModels(ledger: ReadableLedger): Promise<readonly string[]> {
  return (await ledger.query(keys.cursors('incidents'))).map(({ sk }) => sk);
}

/** The number of the newest record of a model that was published. */
export async function findPublished(ledger: ReadableLedger, model: string): Promise<number | undefined> {
  return (await find(ledger, keys.cursor('published', model), Place))?.seq;
}

/** Where the reading of a peer's chain ended. */
export async function findPeerCursor(
  ledger: ReadableLedger,
  environment: string,
  model: string,
): Promise<ChainHead | undefined> {
  return find(ledger, keys.cursor(`peer-${environment}`, model), Place.extend({ hash: Digest }));
}

/** The highest number of a peer's signed pointers that was seen. */
export async function findSeenPointer(
  ledger: ReadableLedger,
  environment: string,
  model: string,
): Promise<number | undefined> {
  return (await find(ledger, keys.cursor(`pointer-${environment}`, model), Place))?.seq;
}

/** The newest drift check that dev answered by a retraining. */
export async function findDriftAnswer(ledger: ReadableLedger, model: string): Promise<DriftAnswer | undefined> {
  return find(ledger, keys.cursor('drift', model), DriftAnswer);
}

/** The id of the key of a peer that was pinned. */
export async function findPinnedKey(ledger: ReadableLedger, environment: string): Promise<string | undefined> {
  return (await find(ledger, keys.peer(environment), z.looseObject({ keyid: z.string() })))?.keyid;
}
