import { z } from 'zod';
import { CastVote, countUnexpired, whyNotVoting } from '../approval/vote.ts';
import { Digest } from '../canonical/digest.ts';
import { absentOrEquals, equals, type Item, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import type { ActivePolicy } from '../policy/activation.ts';
import { type Refusal, refusal } from '../refusal/refusal.ts';

/** The quarantine of a digest by a rollback. It stays for ever, or until people lift it; another rollback replaces a lifted one. */
export const Quarantine = z.strictObject({
  release: Digest,
  version: z.string().min(1),
  reason: z.string().min(1),
  /** The rollback that made it: votes are bound to it. */
  rollback: z.string().min(1),
  actor: z.string().min(1),
  at: z.iso.datetime(),
  status: z.enum(['active', 'lifted']).default('active'),
  /** When it was lifted, and by whose votes. */
  lifted: z.strictObject({ at: z.iso.datetime(), approvedBy: z.array(z.string()) }).exactOptional(),
});
export type Quarantine = z.infer<typeof Quarantine>;

/** A person's verified vote to lift one quarantine. It counts for no other quarantine of the same digest. */
export const QuarantineApproval = CastVote.extend({
  formatVersion: z.literal(1),
  model: ModelName,
  release: Digest,
  rollback: z.string().min(1),
  reason: z.string(),
});
export type QuarantineApproval = z.infer<typeof QuarantineApproval>;

/** The condition that a digest is not quarantined: it never was, or the item says that its quarantine was lifted. */
export const NOT_QUARANTINED = absentOrEquals({ status: 'lifted' });

/** Whether the item under a quarantine's key keeps its digest away: any item does that does not say that it was lifted. */
export function isActive(item: Item | undefined): boolean {
  return item !== undefined && item['status'] !== 'lifted';
}

/** Whether the pipeline made a quarantine, and no person: only such a one can be lifted. */
export function isAutomatic({ actor }: Pick<Quarantine, 'actor'>): boolean {
  return actor.startsWith('pipeline:');
}

/** Why nobody can vote to lift what stands under a digest, or undefined. */
export function whyNotLiftable(quarantine: Quarantine | undefined, release: Digest): Refusal | undefined {
  if (quarantine === undefined) return refusal('quarantine-known', `${release} was not rolled back here`);
  const { version, status, lifted, actor, at } = quarantine;
  if (status === 'lifted')
    return refusal(
      'quarantine-known',
      `the quarantine of ${version} was lifted at ${lifted?.at} by ${lifted?.approvedBy.join(', ')}`,
    );
  return isAutomatic(quarantine)
    ? undefined
    : refusal('quarantine-automatic', `${actor} quarantined ${version} at ${at}`);
}

/** Why a person's vote to lift a quarantine does not count, or undefined. */
export function whyNotLifting(
  vote: { readonly release: Digest; readonly rollback: string; readonly role: string; readonly expiresAt: string },
  quarantine: Quarantine | undefined,
  active: ActivePolicy,
  now: Date,
): Omit<Refusal, 'remedy'> | undefined {
  const unliftable = whyNotLiftable(quarantine, vote.release);
  if (unliftable !== undefined) return unliftable;
  if (quarantine?.rollback !== vote.rollback)
    return {
      rule: 'quarantine-bound',
      found: `the vote is about ${vote.rollback}, and ${quarantine?.rollback} made the quarantine`,
    };
  return whyNotVoting(vote, active.rules.activation, now);
}

/** The votes that count now for lifting a quarantine, by the roles that the policy in force names, and who is still missing. */
export function countLiftVotes(
  active: ActivePolicy,
  { release, rollback }: Pick<Quarantine, 'release' | 'rollback'>,
  votes: readonly QuarantineApproval[],
  now: Date,
) {
  return countUnexpired(
    active.rules.activation,
    votes.filter((vote) => vote.release === release && vote.rollback === rollback),
    now,
  );
}

/** The item of a person's vote. */
export function quarantineApprovalItem(vote: QuarantineApproval): Item {
  return { ...keys.quarantineApproval(vote.model, vote.release, vote.rollback, vote.subject), ...vote };
}

/** The write by which a rollback quarantines a digest: where none is quarantined. */
export function quarantineWrite(model: string, quarantine: Omit<Quarantine, 'status' | 'lifted'>): Write {
  return {
    kind: 'put',
    item: { ...keys.quarantine(model, quarantine.release), ...quarantine, status: 'active' },
    condition: NOT_QUARANTINED,
  };
}

/** The check that a digest is not quarantined. */
export function notQuarantined(model: string, release: Digest): Write {
  return { kind: 'check', key: keys.quarantine(model, release), condition: NOT_QUARANTINED };
}

/** The check that a quarantine is still the one that was read. */
export function stillQuarantined(model: string, { release, rollback }: Quarantine): Write {
  return { kind: 'check', key: keys.quarantine(model, release), condition: equals({ rollback, status: 'active' }) };
}

/** The write that lifts a quarantine, provided that it is still the one that people voted on. */
export function liftWrite(model: string, quarantine: Quarantine, approvedBy: readonly string[], now: Date): Write {
  const { release, rollback } = quarantine;
  return {
    kind: 'put',
    item: {
      ...keys.quarantine(model, release),
      ...quarantine,
      status: 'lifted',
      lifted: { at: now.toISOString(), approvedBy: [...approvedBy] },
    },
    condition: equals({ rollback, status: 'active' }),
  };
}
