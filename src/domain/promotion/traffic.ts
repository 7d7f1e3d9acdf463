import { armAmong } from '../canary/arm.ts';
import type { Arm } from '../canary/counts.ts';
import type { Digest } from '../canonical/digest.ts';
import type { Pointer, TrafficPlan } from './pointer.ts';

/** The arms that have functions of their own; the champion is the endpoint's. */
export type CalledArm = Exclude<Arm, 'champion'>;

/** What an arm answers by. */
export interface NamedRelease {
  readonly arm: Arm;
  readonly release: Digest;
  readonly version: string;
}

/** The plan of a pointer's traffic, until its time has passed: from then on there is none, whatever the pointer says. */
export function planInForce({ traffic: { plan } }: Pick<Pointer, 'traffic'>, now: Date): TrafficPlan | undefined {
  return plan !== undefined && now.getTime() < Date.parse(plan.until) ? plan : undefined;
}

/** What the champion answers by. */
export function championOf({ current: release, version }: Pick<Pointer, 'current' | 'version'>): NamedRelease {
  return { arm: 'champion', release, version };
}

/** What the pointer names for an arm; undefined where no plan in force divides the traffic, or the arm has no share of it. */
export function releaseOf(pointer: Pointer, arm: CalledArm, now: Date): NamedRelease | undefined {
  const plan = planInForce(pointer, now);
  const found = pointer.traffic.arms.find((each) => each.arm === arm);
  if (plan === undefined || plan.kind === 'blue-green' || found === undefined) return undefined;
  // The control arm is the champion's release, and the candidate the plan's: `whyNotDivided`.
  return arm === 'candidate'
    ? { arm, release: plan.candidate, version: plan.version }
    : { ...championOf(pointer), arm };
}

/** What a request is divided by: the id of its first event, and its entity. */
export interface Divided {
  readonly event: string;
  /** Null where the event has none. */
  readonly entity: string | null;
}

/** The arm that a request is assigned to: a retry's is the same. */
export function assignedArm(pointer: Pointer, { event, entity }: Divided, now: Date): Arm {
  const plan = planInForce(pointer, now);
  if (plan === undefined || plan.kind === 'blue-green') return 'champion';
  // All events without an entity would get one arm.
  const key = plan.assignment === 'entity' ? (entity ?? event) : event;
  return armAmong(key, plan.salt, pointer.traffic.arms);
}
