import type { Environment, MACHINES } from '#domain/environment/environment.ts';
import type { AuditCode } from '#domain/audit/events.ts';
import type { Role } from '#domain/policy/role.ts';

/** Who does a piece of work, who answers for it, who is consulted before and who is informed after (RACI). */
export interface Responsibility {
  readonly what: string;
  readonly responsible: readonly Role[];
  readonly accountable: Role;
  readonly consulted: readonly Role[];
  readonly informed: readonly Role[];
}

/** The role that handles an alert, and after how many hours without a solution it passes to the next role. */
export interface AlertOwner {
  readonly owner: Role;
  readonly escalateAfterHours: number;
}

type Machine = (typeof MACHINES)[Environment][number];

/** What each role may do with AWS credentials of an account; it is deployed as a managed policy for each role. */
export interface Acts {
  /** Who may start a machine by hand, e.g. `rollback: ['platform']`. A machine that is not named is started by the pipeline only. */
  readonly machines: Readonly<Partial<Record<Machine, readonly Role[]>>>;
  /** Who reads raw events of requests, e.g. `['ml-engineer']`. */
  readonly requests: readonly Role[];
  /** Who adds and removes people in control's user pool, e.g. `['platform']`. */
  readonly users: readonly Role[];
}

/** The name of the managed policy of a role in an environment. */
export function policyName(environment: Environment, role: Role): string {
  return `gatehouse-${environment}-${role}`;
}

/** What `governance/ownership.ts` says: the organisation's division of work. `npm run docs` writes it to `docs/operating-model.md`. */
export interface Ownership {
  /** The role that answers for each account, e.g. `prod: 'platform'`. */
  readonly accounts: Readonly<Record<Environment, Role>>;
  readonly responsibilities: readonly Responsibility[];
  /** What each role may do with AWS credentials. */
  readonly acts: Acts;
  /** By audit event code: each event that alerts, e.g. `DATA_REFUSED: { owner: 'ml-engineer', escalateAfterHours: 24 }`. */
  readonly alerts: Readonly<Partial<Record<AuditCode, AlertOwner>>>;
  /** By the CloudWatch alarm's name without environment and model, e.g. `drift`. */
  readonly alarms: Readonly<Record<string, AlertOwner>>;
}

/** The organisation's division of work: the default export of `governance/ownership.ts`. */
export function defineOwnership(ownership: Ownership): Ownership {
  return ownership;
}
