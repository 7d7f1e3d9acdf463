import type { Digest } from '#domain/canonical/digest.ts';
import type { BuiltKind } from './lake.ts';

/** Where an object is: a release's by its digest, a document of the lake by its digest, what was built by the digest of its inputs or by its key. */
export type StoredPlace =
  | { readonly kind: 'release' | 'document'; readonly digest: Digest }
  | { readonly kind: 'built'; readonly built: BuiltKind; readonly model: string; readonly digest: Digest }
  | { readonly kind: 'object'; readonly key: string };

/** What an object hashes to as it is stored now. */
export interface StoredHash {
  readonly sha256: Digest;
  readonly versionId: string;
  /** What it was stored as, where the object itself says. */
  readonly storedAs?: Digest;
}

/** The stored bytes of an environment, read to be compared and for nothing else. */
export interface StoredBytes {
  /** Hashes an object, however large; undefined where there is none. */
  hash(place: StoredPlace): Promise<StoredHash | undefined>;
  /** A small object's bytes, whatever they hash to; undefined where there is none. */
  bytes(place: StoredPlace): Promise<Uint8Array | undefined>;
  /** What is published under a number, as text; undefined where there is nothing. */
  published(what: 'chain' | 'pointers', model: string, seq: number): Promise<string | undefined>;
  publicKeyPem(): Promise<string | undefined>;
}
