/** Where a release stands; derived from the ledgers, stored nowhere. */
export type Stage =
  | 'Experimentation'
  | 'Validation'
  | 'Staging'
  | 'Production'
  | 'Retired'
  | 'Rejected'
  | 'Quarantined';

/** Who owns a release in each stage. */
export const STAGE_OWNERS: Readonly<Record<Stage, string>> = {
  Experimentation: 'ML engineer',
  Validation: 'ML lead',
  Staging: 'platform',
  Production: 'platform',
  Retired: 'platform',
  Rejected: 'ML engineer',
  Quarantined: 'platform',
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
