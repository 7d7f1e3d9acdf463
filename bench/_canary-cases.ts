// The traffic of the canary's bench: counts of minutes, drawn by arm and never by request.
import type { ArmCounts, CanaryCounts } from '#domain/canary/counts.ts';
import { drawBinomial, drawNormal } from '#domain/statistics/draws.ts';
import type { Metric } from './_canary-anchors.ts';

export const SHARE = 0.1;
export const PER_MINUTE = 100;
export const MINUTES = 200;
/** All requests of a run, of all arms. */
export const REQUESTS = PER_MINUTE * MINUTES;
const ENTITIES = 2000;

/** What a minute had: by first outcome of each event, and as everything that was sent, which tools without event ids count. */
interface Minute {
  readonly counts: CanaryCounts;
  readonly sent?: CanaryCounts;
}

/** One kind of traffic; each run prepares its own. */
export interface Case {
  readonly name: string;
  readonly metric: Metric;
  /** The champion's usual rate of the metric, of which fixed thresholds are twice. */
  readonly usual: number;
  readonly minutes?: number;
  readonly prepare: (random: () => number) => (minute: number) => Minute;
}

/** Rates of an arm. */
interface Rates {
  readonly errors: number;
  readonly slow: number;
}

/** Arms with their shares of the requests and their rates, all of them by the minute. */
interface Traffic {
  readonly candidate: Rates;
  readonly control: Rates;
  readonly champion: Rates;
}

function drawArm(requests: number, { errors, slow }: Rates, random: () => number): ArmCounts {
  return {
    requests,
    errors: drawBinomial(requests, errors, random),
    slow: drawBinomial(requests, slow, random),
    late: 0,
  };
}

/** A minute's requests, divided between the arms by their shares. */
function drawMinute(
  traffic: Traffic,
  random: () => number,
  shares = { candidate: SHARE, control: SHARE },
): CanaryCounts {
  const own = drawBinomial(PER_MINUTE, shares.candidate, random);
  const control = drawBinomial(PER_MINUTE - own, shares.control / (1 - shares.candidate), random);
  return {
    candidate: drawArm(own, traffic.candidate, random),
    control: drawArm(control, traffic.control, random),
    champion: drawArm(PER_MINUTE - own - control, traffic.champion, random),
  };
}

const rates = (errors: number, slow = 0.002): Rates => ({ errors, slow });
const alike = (of: Rates): Traffic => ({ candidate: of, control: of, champion: of });
const candidateWith = (candidate: Rates, others: Rates): Traffic => ({ ...alike(others), candidate });
const constant =
  (traffic: Traffic): Case['prepare'] =>
  (random) =>
  () => ({ counts: drawMinute(traffic, random) });

/** Entities that each have one arm: what an arm has of the requests, and the mean rate of its entities by their requests. */
function byEntity(weightOf: (rank: number) => number, rateOf: (random: () => number) => number): Case['prepare'] {
  return (random) => {
    const arms = {
      candidate: { weight: 0, errors: 0 },
      control: { weight: 0, errors: 0 },
      champion: { weight: 0, errors: 0 },
    };
    for (let rank = 1; rank <= ENTITIES; rank += 1) {
      const place = random();
      const arm = place < SHARE ? arms.candidate : place < 2 * SHARE ? arms.control : arms.champion;
      arm.weight += weightOf(rank);
      arm.errors += weightOf(rank) * rateOf(random);
    }
    const total = arms.candidate.weight + arms.control.weight + arms.champion.weight;
    const of = ({ weight, errors }: { weight: number; errors: number }): Rates =>
      rates(weight === 0 ? 0 : errors / weight);
    const traffic = { candidate: of(arms.candidate), control: of(arms.control), champion: of(arms.champion) };
    const shares = { candidate: arms.candidate.weight / total, control: arms.control.weight / total };
    return () => ({ counts: drawMinute(traffic, random, shares) });
  };
}

/** Four of five retries of a failed request fail again, and the client gives up after four. */
function retried({ requests, errors, slow, late }: ArmCounts, random: () => number): ArmCounts {
  let [sent, failed, left] = [requests, errors, errors];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    sent += left;
    left = drawBinomial(left, 0.8, random);
    failed += left;
  }
  return { requests: sent, errors: failed, slow, late };
}

const heavy = (rank: number): number => 1 / rank;
const even = (): number => 1;
/** Log-normal around 2 %, with a standard deviation of the logarithm of 1. */
const differing = (random: () => number): number => Math.min(1, 0.02 * Math.exp(drawNormal(random) - 0.5));

const errors = { metric: 'errors', usual: 0.02 } as const;

/** Cases in which nothing is worse. */
export const HEALTHY = {
  event: { ...errors, name: 'by event', prepare: constant(alike(rates(0.02))) },
  entity: { ...errors, name: 'by entity, equal error rates', prepare: byEntity(even, () => 0.02) },
  heavy: { ...errors, name: 'by entity, heavy users, equal error rates', prepare: byEntity(heavy, () => 0.02) },
  differing: { ...errors, name: 'by entity, error rates differ by entity', prepare: byEntity(even, differing) },
  differingHeavy: {
    ...errors,
    name: 'by entity, heavy users whose error rates differ',
    prepare: byEntity(heavy, differing),
  },
  retries: {
    ...errors,
    name: 'clients retry what failed',
    prepare: (random) => () => {
      const counts = drawMinute(alike(rates(0.02)), random);
      const { candidate, control, champion } = counts;
      const sent = {
        candidate: retried(candidate, random),
        control: retried(control, random),
        champion: retried(champion, random),
      };
      return { counts, sent };
    },
  },
  coldStarts: {
    metric: 'slow',
    usual: 0.002,
    name: 'cold starts in 1.0 % of both arms’ requests and 0.2 % of the champion’s',
    prepare: constant({ candidate: rates(0.001, 0.01), control: rates(0.001, 0.01), champion: rates(0.001, 0.002) }),
  },
  outage: {
    ...errors,
    name: 'an outage of ten minutes in which 60 % fail in all arms',
    prepare: (random) => (minute) => ({
      counts: drawMinute(alike(rates(minute >= 100 && minute < 110 ? 0.6 : 0.02)), random),
    }),
  },
  arms: {
    ...errors,
    name: 'both arms’ functions fail 4 %, the champion’s 2 %',
    prepare: constant({ candidate: rates(0.04), control: rates(0.04), champion: rates(0.02) }),
  },
} as const satisfies Record<string, Case>;

/** Cases with a regression. */
export const WORSE = {
  doubled: { ...errors, name: 'errors 2 % doubled', prepare: constant(candidateWith(rates(0.04), rates(0.02))) },
  fourfold: { ...errors, name: 'errors 2 % four-fold', prepare: constant(candidateWith(rates(0.08), rates(0.02))) },
  rare: {
    metric: 'errors',
    usual: 0.002,
    name: 'errors 0.2 % five-fold',
    prepare: constant(candidateWith(rates(0.01), rates(0.002))),
  },
  latency: {
    metric: 'slow',
    usual: 0.05,
    name: 'latency share 5 % doubled',
    prepare: constant(candidateWith(rates(0.001, 0.1), rates(0.001, 0.05))),
  },
  latencyLess: {
    metric: 'slow',
    usual: 0.05,
    name: 'latency share 5 % by half more',
    prepare: constant(candidateWith(rates(0.001, 0.075), rates(0.001, 0.05))),
  },
  late: {
    ...errors,
    minutes: 2 * MINUTES,
    name: `errors 2 % doubled after ${REQUESTS.toLocaleString('en')} healthy requests`,
    prepare: (random) => (minute) => ({
      counts: drawMinute(candidateWith(rates(minute < MINUTES ? 0.02 : 0.04), rates(0.02)), random),
    }),
  },
} as const satisfies Record<string, Case>;
