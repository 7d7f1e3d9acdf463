import { z } from 'zod';
import { type AuditRecord, detailsOf } from '../audit/chain.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { Version } from '../release/registration.ts';

/** A pointer as an environment shows it to the others, signed, under its `seq`; a reader never goes back to a lower one. */
export const PublishedPointer = z.strictObject({
  formatVersion: z.literal(1),
  environment: z.string().min(1),
  model: ModelName,
  release: Digest,
  version: Version,
  seq: z.int().min(1),
  epoch: z.int().min(1),
  /** The audit record that moved the pointer. */
  record: z.strictObject({ seq: z.int().nonnegative(), hash: Digest }),
  at: z.iso.datetime(),
});
export type PublishedPointer = z.infer<typeof PublishedPointer>;

/** The pointer that a record says, where it is one that moves the pointer. */
export function publishedPointerOf(record: AuditRecord, hash: Digest): PublishedPointer | undefined {
  if (record.release === null) return undefined;
  const details = actOf(record);
  if (details === undefined) return undefined;
  return {
    formatVersion: 1,
    environment: record.environment,
    model: record.model,
    release: record.release,
    version: details.version,
    seq: details.pointerSeq,
    epoch: details.epoch,
    record: { seq: record.seq, hash },
    at: record.at,
  };
}

function actOf(
  record: AuditRecord,
): { readonly version: string; readonly pointerSeq: number; readonly epoch: number } | undefined {
  switch (record.code) {
    case 'RELEASE_PROMOTED':
    case 'RELEASE_CONFIRMED':
    case 'RELEASE_ROLLED_BACK':
    case 'CANARY_STARTED':
      return detailsOf(record, record.code);
    case 'CANARY_ENDED': {
      const { version, pointerSeq, epoch } = detailsOf(record, record.code);
      return pointerSeq === null ? undefined : { version, pointerSeq, epoch };
    }
    default:
      return undefined;
  }
}
