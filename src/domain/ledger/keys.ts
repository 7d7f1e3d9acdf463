import { GatehouseError } from '../error.ts';
import type { Key } from './item.ts';

const pad = (number: number): string => String(number).padStart(12, '0');

/** The partition of the pinned keys: an environment has one key, whichever model it is heard about first. */
const PEERS = 'PEER#ENVIRONMENTS';

/** How many records one partition of a chain holds: short partitions are quick to read. */
export const CHAIN_BUCKET = 1000;

/** Every key of the ledger and of the catalogue, in one place. The word before the first # is the authority. */
export const keys = {
  pointer: (model: string): Key => ({ pk: `POINTER#${model}`, sk: 'POINTER' }),
  registration: (model: string, release: string): Key => ({ pk: `REGISTRATION#${model}`, sk: release }),
  registrations: (model: string): string => `REGISTRATION#${model}`,
  version: (model: string, version: string): Key => ({ pk: `VERSION#${model}`, sk: version }),
  /** What prod serves, as its signed chain says: what versions are computed against. */
  released: (model: string): Key => ({ pk: `RELEASED#${model}`, sk: 'RELEASED' }),
  evidence: (gate: string, model: string, release: string, environment: string, policy: string): Key => ({
    pk: `EVIDENCE#${gate}#${model}`,
    sk: `${environment}#${release}#${policy}`,
  }),
  /** What is attested of a commit or a release; of a CI run in control, that it has said so. */
  attestations: (model: string, gate: string, subject: string): Key => ({
    pk: `ATTESTATION#${model}`,
    sk: `${gate}#${subject}`,
  }),
  attestationsOfModel: (model: string): string => `ATTESTATION#${model}`,
  approval: (model: string, promotion: string, subject: string): Key => ({
    pk: `APPROVAL#${model}`,
    sk: `${promotion}#${subject}`,
  }),
  approvals: (model: string): string => `APPROVAL#${model}`,
  promotion: (model: string, promotion: string): Key => ({ pk: `PROMOTION#${model}`, sk: promotion }),
  promotions: (model: string): string => `PROMOTION#${model}`,
  /** What `intake` wrote of a verified request, under the name of the promotion that it opens. */
  promotionRequest: (model: string, promotion: string): Key => ({ pk: `PROMOTION_REQUEST#${model}`, sk: promotion }),
  lock: (model: string): Key => ({ pk: `LOCK#${model}`, sk: 'LOCK' }),
  policy: (model: string): Key => ({ pk: `POLICY#${model}`, sk: 'ACTIVE' }),
  /** That a person wants a policy to replace the one that came into force as the n-th. */
  policyApproval: (model: string, replaced: number, policy: string, subject: string): Key => ({
    pk: `POLICY#${model}`,
    sk: `APPROVAL#${pad(replaced)}#${policy}#${subject}`,
  }),
  /** What the suites have said of a model's data, as a document by digest. */
  checkedData: (model: string): Key => ({ pk: `DATA#${model}`, sk: 'CHECKED' }),
  quarantine: (model: string, release: string): Key => ({ pk: keys.quarantined(model), sk: release }),
  quarantined: (model: string): string => `QUARANTINE#${model}`,
  /** That a person wants the quarantine to be lifted that a rollback made. */
  quarantineApproval: (model: string, release: string, rollback: string, subject: string): Key => ({
    pk: `QUARANTINE_VOTE#${model}`,
    sk: `${release}#${rollback}#${subject}`,
  }),
  /** The newest rollback that an alarm has triggered. */
  automaticRollback: (model: string): Key => ({ pk: `ALARM#${model}`, sk: 'ROLLBACK' }),
  /** What the newest check said of the release that a rollback would go to. */
  readiness: (model: string): Key => ({ pk: `READINESS#${model}`, sk: 'TARGET' }),
  incident: (model: string, incident: string): Key => ({ pk: keys.incidents(model), sk: incident }),
  incidents: (model: string): string => `INCIDENT#${model}`,
  run: (model: string, run: string): Key => ({ pk: `RUN#${model}`, sk: run }),
  runs: (model: string): string => `RUN#${model}`,
  fence: (model: string): Key => ({ pk: `FENCE#${model}`, sk: 'BATCH' }),
  task: (kind: string, id: string): Key => ({ pk: `TASK#${kind}`, sk: id }),
  tasks: (kind: string): string => `TASK#${kind}`,
  operation: (model: string, operation: string): Key => ({ pk: `OPERATION#${model}`, sk: operation }),
  chainHead: (model: string): Key => ({ pk: `CHAIN#${model}`, sk: 'HEAD' }),
  chainRecord: (model: string, seq: number): Key => ({
    pk: `CHAIN#${model}#${pad(Math.floor(seq / CHAIN_BUCKET))}`,
    sk: pad(seq),
  }),
  chainBucket: (model: string, bucket: number): string => `CHAIN#${model}#${pad(bucket)}`,
  /** The signing key of a peer, pinned at first contact for all models; the item names the model whose chain says so. */
  peer: (environment: string): Key => ({ pk: PEERS, sk: environment }),
  /** How far the publisher and each peer's reader have come in a chain. */
  cursor: (who: string, model: string): Key => ({ pk: `CURSOR#${who}`, sk: model }),
  cursors: (who: string): string => `CURSOR#${who}`,
  /** The fault that an item of a function's work has, or had. */
  fault: (by: string, item: string): Key => ({ pk: `FAULT#${by}`, sk: item }),
  faults: (by: string): string => `FAULT#${by}`,
  /** When a schedule ran last, as whoever is scheduled says. */
  heartbeat: (of: string, schedule: string): Key => ({ pk: `SCHEDULE#${of}`, sk: `heartbeat ${schedule}` }),
  /** When a schedule is to run next, as the supervisor reckons. */
  expectedRun: (of: string, schedule: string): Key => ({ pk: `SCHEDULE#${of}`, sk: `expected ${schedule}` }),
  /** The newest round of an environment's supervisor. */
  supervision: (environment: string): Key => ({ pk: `SCHEDULE#${environment}`, sk: 'ROUND' }),
  scheduled: (of: string): string => `SCHEDULE#${of}`,
  /** Why a day's events, labels or predictions are refused, or were. */
  refusal: (model: string, kind: string, day: string): Key => ({ pk: `REFUSAL#${model}`, sk: `${kind} ${day}` }),
  refusals: (model: string): string => `REFUSAL#${model}`,
  /** What a peer's signed chain said of a release. */
  upstream: (model: string, release: string, environment: string): Key => ({
    pk: `UPSTREAM#${model}`,
    sk: `${release}#${environment}`,
  }),
  /** Control only: what waits for people, and what they said. */
  request: (model: string, promotion: string): Key => ({ pk: `REQUEST#${model}`, sk: promotion }),
  requests: (model: string): string => `REQUEST#${model}`,
  decision: (model: string, promotion: string, subject: string): Key => ({
    pk: `DECISION#${model}`,
    sk: `${promotion}#${subject}`,
  }),
  decisions: (model: string): string => `DECISION#${model}`,
  partition: (model: string, kind: string, day: string): Key => ({ pk: `PARTITION#${model}#${kind}`, sk: day }),
  partitions: (model: string, kind: string): string => `PARTITION#${model}#${kind}`,
  partitionVersion: (model: string, kind: string, day: string, version: number): Key => ({
    pk: `ADMISSION#${model}#${kind}`,
    sk: `${day}#${pad(version)}`,
  }),
  partitionVersions: (model: string, kind: string): string => `ADMISSION#${model}#${kind}`,
  /** Which daily aggregates an endpoint loads, by the basis of the definitions that they are for. */
  aggregates: (model: string, basis: string): Key => ({ pk: `AGGREGATES#${model}`, sk: basis }),
  allAggregates: (model: string): string => `AGGREGATES#${model}`,
  prediction: (model: string, day: string): Key => ({ pk: `PREDICTION#${model}`, sk: day }),
  predictions: (model: string): string => `PREDICTION#${model}`,
} as const;

/**
 * What each authority is. *Governed* items are what was decided: they are written together with an audit record that
 * commits to them, and by nothing else, so that replaying the chain rebuilds them. *Chain* items follow from the records.
 * *Book-keeping* lets work go on and decides nothing. *Catalogue* items live in the Lake stack's table, and are witnessed
 * by digests of their own.
 */
const AUTHORITIES = {
  POINTER: 'governed',
  REGISTRATION: 'governed',
  VERSION: 'governed',
  RELEASED: 'governed',
  EVIDENCE: 'governed',
  ATTESTATION: 'governed',
  APPROVAL: 'governed',
  PROMOTION: 'governed',
  PROMOTION_REQUEST: 'governed',
  LOCK: 'governed',
  POLICY: 'governed',
  DATA: 'governed',
  AGGREGATES: 'governed',
  QUARANTINE: 'governed',
  QUARANTINE_VOTE: 'governed',
  ALARM: 'governed',
  INCIDENT: 'governed',
  READINESS: 'governed',
  UPSTREAM: 'governed',
  PEER: 'governed',
  REQUEST: 'governed',
  DECISION: 'governed',
  CHAIN: 'chain',
  OPERATION: 'chain',
  RUN: 'book-keeping',
  FENCE: 'book-keeping',
  TASK: 'book-keeping',
  CURSOR: 'book-keeping',
  FAULT: 'book-keeping',
  SCHEDULE: 'book-keeping',
  REFUSAL: 'book-keeping',
  PARTITION: 'catalogue',
  ADMISSION: 'catalogue',
  PREDICTION: 'catalogue',
} as const;

const KINDS: ReadonlyMap<string, AuthorityKind> = new Map(Object.entries(AUTHORITIES));

export type AuthorityKind = (typeof AUTHORITIES)[keyof typeof AUTHORITIES];

/** What kind of item stands under a key. @throws GatehouseError `UNKNOWN_AUTHORITY` */
export function authorityKindOf({ pk }: { readonly pk: string }): AuthorityKind {
  const authority = authorityOf(pk);
  const standing = KINDS.get(authority);
  if (standing !== undefined) return standing;
  throw new GatehouseError('UNKNOWN_AUTHORITY', `${pk}: no authority is called ${authority}`, { pk });
}

/** The partitions in which the governed items of a model stand, evidence by the gates that give it. */
export function governedPartitions(model: string, gates: readonly string[]): readonly string[] {
  return authoritiesOf('governed').flatMap((authority) => {
    if (authority === 'EVIDENCE') return gates.map((gate) => `EVIDENCE#${gate}#${model}`);
    return authority === 'PEER' ? [PEERS] : [`${authority}#${model}`];
  });
}

/** Whether an item that stands in one of those partitions was put by an act of the model: pinned keys are of all models. */
export function isOfModel(item: Key & { readonly [name: string]: unknown }, model: string): boolean {
  return item.pk !== PEERS || item['model'] === model;
}

/** The authorities whose items live in the catalogue's table (Lake stack); all others live in the ledger's. */
export const CATALOGUE_AUTHORITIES: readonly string[] = authoritiesOf('catalogue');

/** The word before the first # of a partition key. */
export function authorityOf(pk: string): string {
  return pk.slice(0, pk.indexOf('#'));
}

function authoritiesOf(standing: AuthorityKind): readonly string[] {
  return Object.entries(AUTHORITIES)
    .filter(([, is]) => is === standing)
    .map(([authority]) => authority);
}
