import type { Digest } from '#domain/canonical/digest.ts';
import type { ObjectReference } from '#domain/data/partition.ts';
import type { Lineage } from '#domain/prediction/manifest.ts';

/** What is made from admitted partitions, each named by the digest of everything that it depends on. */
export type BuiltKind = 'daily' | 'features' | 'predictions';

/** A built object: where its bytes are, what they hash to, and how many rows they hold. */
export interface BuiltObject {
  readonly object: ObjectReference;
  readonly rows: number;
  /** How predictions came about that were not all scored. */
  readonly lineage?: Lineage;
}

/** A local file that is to be stored. */
export interface LocalObject {
  readonly path: string;
  readonly sha256: Digest;
  readonly rows: number;
  readonly lineage?: Lineage;
}

/** An environment's lake: built objects are written once, and every byte that is read is hashed again. */
export interface Lake {
  /** The digests of all that is built of a kind, by one listing. */
  built(kind: BuiltKind, model: string): Promise<ReadonlySet<Digest>>;
  find(kind: BuiltKind, model: string, digest: Digest): Promise<BuiltObject | undefined>;
  /** Stores a local file; what is there already must have the same bytes. @throws GatehouseError `ARTIFACT_TAMPERED` */
  store(kind: BuiltKind, model: string, digest: Digest, file: LocalObject): Promise<void>;
  /** Copies a built object into a local folder. @throws GatehouseError `ARTIFACT_MISSING` or `ARTIFACT_TAMPERED` */
  fetch(kind: BuiltKind, model: string, digest: Digest, folder: string): Promise<string>;
  /** Copies an admitted object into a local folder, by version. @throws GatehouseError `ARTIFACT_MISSING` or `ARTIFACT_TAMPERED` */
  fetchSource(object: ObjectReference, folder: string): Promise<string>;
}
