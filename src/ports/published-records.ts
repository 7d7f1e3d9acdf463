import type { Envelope } from '#domain/signature/dsse.ts';

/** A signed document under its number. */
export interface Numbered {
  readonly seq: number;
  readonly envelope: Envelope;
}

/** Where an environment shows its chain, its pointers and its public key to the others: written once, in order. */
export interface PublishedRecords {
  publishKey(publicKeyPem: string): Promise<void>;
  publishRecord(model: string, record: Numbered): Promise<void>;
  publishPointer(model: string, pointer: Numbered): Promise<void>;
}

/** What peers show: read across accounts, believed only after its signature was verified. */
export interface PeerRecords {
  publicKeyPem(environment: string): Promise<string | undefined>;
  /** The records after a number, in order, as many as one reading gives. */
  recordsAfter(environment: string, model: string, seq: number): Promise<readonly Numbered[]>;
  newestPointer(environment: string, model: string): Promise<Numbered | undefined>;
}
