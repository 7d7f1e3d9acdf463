import type { Approval } from '../approval/approval.ts';
import type { Digest } from '../canonical/digest.ts';
import type { Evidence } from '../gates/evidence.ts';
import type { PredictionManifest } from '../prediction/manifest.ts';
import type { Pointer } from '../promotion/pointer.ts';
import type { Lock, Promotion } from '../promotion/promotion.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { Item } from '../ledger/item.ts';
import type { AuditRecord, ChainHead } from './chain.ts';

/** A record as it is stored: its text, and the hash that stands beside it. */
export interface StoredRecord {
  readonly seq: number;
  readonly document: string;
  readonly hash: string;
  /** The canonical JSON of the items that the act put, which stands beside the record. */
  readonly changes: string;
}

/** Everything that the invariants are about: one model in one environment, as it was read. */
export interface LedgerState {
  readonly environment: string;
  readonly model: string;
  readonly now: Date;
  readonly stored: readonly StoredRecord[];
  readonly head: ChainHead | undefined;
  /** Every item that stands under a governed authority, and the operations that were done. */
  readonly standing: readonly Item[];
  /** The items among them that are not what their schema asks, and why. */
  readonly unreadable: readonly string[];
  readonly pointer: Pointer | undefined;
  readonly lock: Lock | undefined;
  readonly promotions: readonly Promotion[];
  readonly evidence: readonly { readonly evidence: Evidence; readonly body: string }[];
  readonly approvals: readonly Approval[];
  readonly quarantined: readonly Digest[];
  readonly predictions: readonly PredictionManifest[];
  /** The baselines that are registered here, and why one can never be served. */
  readonly baselines: readonly { readonly version: string; readonly problem: string | undefined }[];
  /** Whether a batch run is at work. */
  readonly isReconciling: boolean;
  /** What was found wrong when the stored objects were read and hashed again. */
  readonly objects: readonly ObjectFinding[];
  readonly published: Published | undefined;
  /** The decisions of control's chain by their hashes; undefined where that chain was not read. */
  readonly decisions: ReadonlyMap<string, AuditRecord> | undefined;
}

/** An object that is not what it should be. */
export interface ObjectFinding {
  readonly of: 'release' | 'prediction';
  readonly name: string;
  readonly found: string;
}

/** What the environment shows to others. */
export interface Published {
  readonly publicKeyPem: string;
  readonly records: readonly { readonly seq: number; readonly envelope: Envelope }[];
  readonly newestPointer: { readonly seq: number; readonly envelope: Envelope } | undefined;
}

/** What must hold of every state, and why a state breaks it: one line for each breach. */
export interface Invariant {
  readonly id: string;
  readonly meaning: string;
  check(state: LedgerState, records: readonly ReadRecord[]): readonly string[];
}

/** A record that could be read, with the digest of its own text. */
export interface ReadRecord {
  readonly record: AuditRecord;
  readonly hash: Digest;
  /** The governed items that it put; undefined where the changes beside it are not those to which it commits. */
  readonly changed: readonly Item[] | undefined;
}
