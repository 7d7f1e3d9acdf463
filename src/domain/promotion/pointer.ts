import { z } from 'zod';
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
  traffic: z.strictObject({ planSeq: z.int(), arms: z.array(z.strictObject({ release: Digest, share: z.number() })) }),
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
    traffic: { planSeq: (previous?.traffic.planSeq ?? 0) + 1, arms: [{ release: next.current, share: 1 }] },
    seq: (previous?.seq ?? 0) + 1,
    epoch: (previous?.epoch ?? 0) + 1,
  };
}

/** The least and the most that the shares of all arms may sum up to: floating-point numbers rarely make exactly 1. */
const WHOLE = { least: 1 - 1e-9, most: 1 + 1e-9 };

/**
 * The pointer after its traffic was divided otherwise among arms, of which the champion is one. The epoch stays: it is the champion's, and
 * what batches publish and reviews judge depends on nothing else. @throws GatehouseError `BAD_TRAFFIC`
 */
export function divideTraffic(
  previous: Pointer,
  arms: Pointer['traffic']['arms'],
  by: Pick<Pointer, 'fencingToken' | 'writtenBy'>,
): Pointer {
  const traffic = { planSeq: previous.traffic.planSeq + 1, arms };
  const next = { ...previous, ...by, traffic, seq: previous.seq + 1 };
  mustBeDivided(next);
  return next;
}

/** Why a pointer's traffic cannot be divided as it says: each arm is another release with a share of all, and the champion is one. */
export function whyNotDivided({
  current,
  traffic: { arms },
}: Pick<Pointer, 'current' | 'traffic'>): string | undefined {
  const sum = arms.reduce((total, { share }) => total + share, 0);
  const releases = new Set(arms.map(({ release }) => release));
  if (!releases.has(current)) return `the champion ${current} is no arm`;
  if (releases.size < arms.length) return 'a release is an arm twice';
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
  const isSame = canonicalJson(next.traffic.arms) === canonicalJson(before.traffic.arms);
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
