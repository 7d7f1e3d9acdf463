import { createHash } from 'node:crypto';
import { Digest } from '../canonical/digest.ts';
import { GatehouseError } from '../error.ts';

/** A day's partition by its digest: a leaf of a dataset. */
export interface DatasetPartition {
  readonly day: string;
  readonly digest: Digest;
}

/**
 * The fingerprint of a dataset: the Merkle root over its partitions in the order of their days. Leaves and nodes are
 * hashed with different prefixes, so that no inner node can be passed off as a leaf (RFC 6962, section 2.1).
 */
export function datasetFingerprint(partitions: readonly DatasetPartition[]): Digest {
  const sorted = partitions.toSorted((a, b) => (a.day < b.day ? -1 : 1));
  for (const [index, { day }] of sorted.entries()) {
    if (day === sorted[index + 1]?.day)
      throw new GatehouseError('DUPLICATE_DAY', `day ${day} is in the dataset twice`, { day });
  }
  const leaves = sorted.map(({ day, digest }) => hash(0, `${day} ${digest}`));
  return Digest.parse(`sha256:${root(leaves).toString('hex')}`);
}

function root(hashes: readonly Buffer[]): Buffer {
  const [first] = hashes;
  if (first === undefined) return hash(0, '');
  if (hashes.length === 1) return first;
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1);
  return hash(1, Buffer.concat([root(hashes.slice(0, half)), root(hashes.slice(half))]));
}

function hash(prefix: 0 | 1, content: string | Buffer): Buffer {
  return createHash('sha256').update(Buffer.of(prefix)).update(content).digest();
}
