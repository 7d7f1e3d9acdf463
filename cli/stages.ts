import type { Role } from '#domain/policy/role.ts';

/** Where a release stands; derived from the ledgers, stored nowhere. */
export type Stage =
  | 'Experimentation'
  | 'Validation'
  | 'Staging'
  | 'Production'
  | 'Retired'
  | 'Rejected'
  | 'Quarantined';

/** What each stage means, and the role that owns a release in it. */
export const STAGES: Readonly<Record<Stage, { readonly owner: Role; readonly meaning: string }>> = {
  Experimentation: { owner: 'ml-engineer', meaning: 'registered in dev and not offered' },
  Validation: { owner: 'ml-lead', meaning: 'offered by dev; not yet promoted in staging' },
  Staging: { owner: 'platform', meaning: 'promoted in staging' },
  Production: { owner: 'platform', meaning: 'the champion of prod' },
  Retired: { owner: 'platform', meaning: 'was the champion of prod' },
  Rejected: { owner: 'ml-engineer', meaning: 'rejected in dev, or its newest promotion was refused or failed' },
  Quarantined: {
    owner: 'platform',
    meaning: 'rolled back; it cannot be promoted there again unless its quarantine is lifted',
  },
};

/** What the ledgers say of one release. */
export interface ReleaseFacts {
  readonly isOffered: boolean;
  /** The conclusion of the run that made it. */
  readonly isRejectedInDev: boolean;
  readonly isQuarantined: boolean;
  /** For each environment: is it current, was it ever, and how its newest promotion stands. */
  readonly staging: EnvironmentFacts;
  readonly prod: EnvironmentFacts;
}

export interface EnvironmentFacts {
  readonly isCurrent: boolean;
  readonly wasPromoted: boolean;
  readonly newestPromotion: string | undefined;
}

/** The stage of a release: what it has reached, unless it was turned away or withdrawn. */
export function stageOf({ isOffered, isRejectedInDev, isQuarantined, staging, prod }: ReleaseFacts): Stage {
  if (isQuarantined) return 'Quarantined';
  if (prod.isCurrent) return 'Production';
  if (prod.wasPromoted) return 'Retired';
  const ended = ['refused', 'failed'];
  if (ended.includes(prod.newestPromotion ?? '')) return 'Rejected';
  if (staging.wasPromoted || staging.isCurrent) return 'Staging';
  if (ended.includes(staging.newestPromotion ?? '')) return 'Rejected';
  if (isOffered || staging.newestPromotion !== undefined) return 'Validation';
  return isRejectedInDev ? 'Rejected' : 'Experimentation';
}
