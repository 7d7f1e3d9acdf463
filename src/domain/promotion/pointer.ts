import { z } from 'zod';
import { Arm } from '../canary/counts.ts';
import { canonicalJson, Digest } from '../canonical/digest.ts';
import { GatehouseError } from '../error.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { LatencyBaseline } from './latency.ts';
import { Version } from '../release/registration.ts';

/** What a hotfix owes: the environments that it went past have yet to carry its digest. */
export const PendingPropagation = z.strictObject({
  release: Digest,
  version: Version,
  promotion: z.string().min(1),
  since: z.iso.datetime(),
});
export type PendingPropagation = z.infer<typeof PendingPropagation>;

/** A release to go back to; what it owed when it was replaced is owed again when it comes back, and so is its baseline. */
const Named = z.strictObject({
  release: Digest,
  version: Version,
  latency: LatencyBaseline.exactOptional(),
  pendingPropagation: PendingPropagation.exactOptional(),
});
type Named = z.infer<typeof Named>;

/** How many confirmed releases a pointer remembers beyond `lastConfirmed`: so many more rollbacks in a row find a target. */
export const REMEMBERED = 8;

/** Why the traffic is divided, and how the arm of a request is found. */
export const TrafficPlan = z.strictObject({
  /** `canary` and `ab` divide requests among three arms; `blue-green` divides none, and has the candidate loaded before it is switched to. */
  kind: z.enum(['canary', 'ab', 'blue-green']),
  /** The promotion whose release is the candidate. */
  promotion: z.string().min(1),
  candidate: Digest,
  version: Version,
  /** What chooses the arm, hashed with the salt: the id of a request's first event, or its entity. */
  assignment: z.enum(['event', 'entity']),
  salt: z.string().min(1),
  /** Milliseconds within which an arm has to answer: then the champion does. */
  armMs: z.int().min(1),
  startedAt: z.iso.datetime(),
  /** From then on the champion answers everything, whatever this says: an execution that died divides no traffic for ever. */
  until: z.iso.datetime(),
});
export type TrafficPlan = z.infer<typeof TrafficPlan>;

/** An arm of the traffic, and its share of the requests. */
const TrafficArm = z.strictObject({ arm: Arm.default('champion'), release: Digest, share: z.number() });
export type TrafficArm = z.infer<typeof TrafficArm>;

/** What an environment serves for a model: one item, whose value is the only meaning of "production". */
export const Pointer = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  environment: z.string().min(1),
  current: Digest,
  version: Version,
  status: z.enum(['confirmed', 'probation']),
  /** When the release on probation has to be judged; null when it is confirmed. */
  until: z.iso.datetime().nullable().default(null),
  /** Where a rollback goes: the newest release that was confirmed before the current one. */
  lastConfirmed: Named.nullable(),
  /** Where further rollbacks in a row go: the confirmed releases before `lastConfirmed`, newest first. None is quarantined. */
  rollbackHistory: z.array(Named).max(REMEMBERED).default([]),
  /** What the served hotfix owes; while it does, no promotion but a hotfix is promoted. */
  pendingPropagation: PendingPropagation.nullable().default(null),
  /** Null where the model answers no requests. */
  latency: LatencyBaseline.nullable().default(null),
  traffic: z.strictObject({ planSeq: z.int(), arms: z.array(TrafficArm), plan: TrafficPlan.exactOptional() }),
  /** Grows by one with every change of the pointer: of the champion, of its status, of the traffic. */
  seq: z.int().min(1),
  /** Grows with every change of the champion: predictions are published under the epoch that they were made in. */
  epoch: z.int().min(1),
  fencingToken: z.int().nonnegative(),
  /** The promotion, rollback or confirmation that wrote this value. */
  writtenBy: z.string().min(1),
  /** When the current epoch began. */
  at: z.iso.datetime(),
});
export type Pointer = z.infer<typeof Pointer>;

/** The check that a pointer is what was read. */
export function pointerCheck(model: string, read: Pointer | undefined): Write {
  const condition = read === undefined ? ABSENT : equals({ seq: read.seq });
  return { kind: 'check', key: keys.pointer(model), condition };
}

/**
 * The one conditional write of a pointer: only over the value that was read, or over none, and only of one that follows it.
 * @throws GatehouseError `BAD_TRAFFIC`, `BAD_POINTER`
 */
export function pointerWrite(previous: Pointer | undefined, next: Pointer): Write {
  mustBeDivided(next);
  const why = previous === undefined ? undefined : whyNotFollowing(previous, next);
  if (why !== undefined)
    throw new GatehouseError('BAD_POINTER', `no pointer of ${next.model} is written so: ${why}`, { pointer: next });
  return {
    kind: 'put',
    item: { ...keys.pointer(next.model), ...next },
    condition:
      previous === undefined
        ? ABSENT
        : equals({
            seq: previous.seq,
            epoch: previous.epoch,
            fencingToken: previous.fencingToken,
            current: previous.current,
          }),
  };
}

/** The pointer after a release took over from what was current. */
export function advancePointer(
  previous: Pointer | undefined,
  next: Pick<Pointer, 'model' | 'environment' | 'current' | 'version' | 'fencingToken' | 'writtenBy' | 'at'>,
  /** The confirmed releases that it can be rolled back to, newest first. */
  confirmed: readonly Named[],
  /** The end of its probation, if it is on one, what it owes, and what its latency is compared with. */
  { until, pendingPropagation, latency }: Pick<Pointer, 'until' | 'pendingPropagation' | 'latency'> = {
    until: null,
    pendingPropagation: null,
    latency: null,
  },
): Pointer {
  return {
    formatVersion: 1,
    ...next,
    status: until === null ? 'confirmed' : 'probation',
    until,
    pendingPropagation,
    latency,
    lastConfirmed: confirmed[0] ?? null,
    rollbackHistory: confirmed.slice(1, 1 + REMEMBERED),
    traffic: { planSeq: (previous?.traffic.planSeq ?? 0) + 1, arms: undivided(next.current) },
    seq: (previous?.seq ?? 0) + 1,
    epoch: (previous?.epoch ?? 0) + 1,
  };
}

/** The traffic of a champion that answers everything. */
export function undivided(champion: Digest): TrafficArm[] {
  return [{ arm: 'champion', release: champion, share: 1 }];
}

/** The least and the most that the shares of all arms may sum up to: floating-point numbers rarely make exactly 1. */
const WHOLE = { least: 1 - 1e-9, most: 1 + 1e-9 };

/**
 * The pointer after its traffic was divided otherwise among arms, of which the champion is one. The epoch stays: it is the champion's, and
 * what batches publish and reviews judge depends on nothing else. @throws GatehouseError `BAD_TRAFFIC`
 */
export function divideTraffic(
  previous: Pointer,
  { arms, plan }: { readonly arms: TrafficArm[]; readonly plan?: TrafficPlan },
  by: Pick<Pointer, 'fencingToken' | 'writtenBy'>,
): Pointer {
  const traffic = { planSeq: previous.traffic.planSeq + 1, arms, ...(plan === undefined ? {} : { plan }) };
  const next = { ...previous, ...by, traffic, seq: previous.seq + 1 };
  mustBeDivided(next);
  return next;
}

/**
 * Why a pointer's traffic cannot be divided as it says: each arm is another one with a share of all; champion and control arm run the served
 * release, and the candidate another one, which the plan names.
 */
export function whyNotDivided({
  current,
  traffic: { arms, plan },
}: Pick<Pointer, 'current' | 'traffic'>): string | undefined {
  const sum = arms.reduce((total, { share }) => total + share, 0);
  const names = new Set(arms.map(({ arm }) => arm));
  const wrong = arms.find(({ arm, release }) => (arm === 'candidate') === (release === current));
  if (arms.every(({ release }) => release !== current)) return `the champion ${current} is no arm`;
  if (names.size < arms.length) return 'an arm is there twice';
  if (wrong !== undefined) return `the ${wrong.arm} is ${wrong.release}, and ${current} is served`;
  if (arms.length > 1 && plan === undefined) return 'no plan says why';
  const candidate = arms.find(({ arm }) => arm === 'candidate');
  if (candidate !== undefined && candidate.release !== plan?.candidate)
    return `the candidate is ${candidate.release}, and the plan's ${plan?.candidate}`;
  if (arms.some(({ share }) => !(share > 0))) return 'an arm has no share';
  return sum >= WHOLE.least && sum <= WHOLE.most ? undefined : `the shares sum up to ${sum}`;
}

function mustBeDivided(pointer: Pointer): void {
  const why = whyNotDivided(pointer);
  if (why === undefined) return;
  const { arms } = pointer.traffic;
  throw new GatehouseError('BAD_TRAFFIC', `traffic of ${pointer.model} cannot be divided so: ${why}`, { arms });
}

/**
 * Why a pointer cannot follow another one, or none: each is the next by number, another epoch begins exactly where the champion is another
 * one, and another plan of traffic exactly where the arms are.
 */
export function whyNotFollowing(previous: Pointer | undefined, next: Pointer): string | undefined {
  const before = previous ?? { ...next, current: null, traffic: { planSeq: 0, arms: null }, seq: 0, epoch: 0 };
  const { model, environment } = before;
  if (next.model !== model || next.environment !== environment)
    return `it is of ${next.environment}/${next.model}, not ${environment}/${model}`;
  const divided = ({ arms, plan }: { arms: unknown; plan?: unknown }): string =>
    canonicalJson({ arms, plan: plan ?? null });
  const isSame = divided(next.traffic) === divided(before.traffic);
  const numbers = [
    ['seq', next.seq, before.seq + 1],
    ['epoch', next.epoch, before.epoch + (next.current === before.current ? 0 : 1)],
    ['planSeq', next.traffic.planSeq, before.traffic.planSeq + (isSame ? 0 : 1)],
  ] as const;
  const wrong = numbers.find(([, is, expected]) => is !== expected);
  return wrong === undefined ? undefined : `its ${wrong[0]} is ${wrong[1]}, not ${wrong[2]}`;
}

/** The confirmed releases that a pointer knows, newest first: what it serves, if that is confirmed, and what it goes back to. */
export function confirmedReleases(pointer: Pointer | undefined): readonly Named[] {
  if (pointer === undefined) return [];
  const { status, current: release, version, pendingPropagation, latency, lastConfirmed, rollbackHistory } = pointer;
  const kept = {
    ...(pendingPropagation === null ? {} : { pendingPropagation }),
    ...(latency === null ? {} : { latency }),
  };
  return [
    ...(status === 'confirmed' ? [{ release, version, ...kept }] : []),
    ...(lastConfirmed === null ? [] : [lastConfirmed]),
    ...rollbackHistory,
  ];
}
