// How often a canary aborts a candidate that is no worse, how soon it finds one that is, and how often a bad one finishes: the
// judge's e-processes beside what rollout tools do, on the same counts. Whole numbers of minutes are drawn, no requests.
import { canaryEvidence } from '#domain/canary/evidence.ts';
import { type CanaryCounts, NOTHING } from '#domain/canary/counts.ts';
import {
  comparisonProcess,
  LOG_REJECTS_AT,
  logNotBadAtAll,
  pairedProcess,
  toleratedProcess,
} from '#domain/canary/e-process.ts';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { drawBinomial } from '#domain/statistics/draws.ts';
import { type Anchor, fixedThreshold, mannWhitneyWindows, peekedZTest } from './_canary-anchors.ts';
import { type Case, HEALTHY, MINUTES, PER_MINUTE, REQUESTS, SHARE, WORSE } from './_canary-cases.ts';
import { type Figure, figure, milliseconds, quantile, report, type Target } from './_report.ts';

const RUNS = 1000;
const SEED = 19;
const TOLERATED = 0.01;
const figures: Figure[] = [];
const percentOf = (count: number): number => (100 * count) / RUNS;
const note = (text: string): void => console.error(`  ${text}`);

/** Minutes at which each judge aborted, one for each run that it did. */
interface Aborted {
  readonly ours: number[];
  readonly anchors: ReadonlyMap<string, number[]>;
}

const ANCHORS: readonly (readonly [name: string, of: (one: Case) => Anchor])[] = [
  ['twice the usual rate in 5 checks of 5 minutes', ({ metric, usual }) => fixedThreshold(metric, 2 * usual)],
  ['a z-test at 1 %, looked at each minute', ({ metric }) => peekedZTest(metric)],
  ['Mann-Whitney at 1 % on each 30 minutes', ({ metric }) => mannWhitneyWindows(metric)],
];

/** An anchor without a ratio where it is 0. */
function anchored(name: string, value: number): readonly [name: string, value: number | null] {
  return value === 0 ? [`${name}: 0`, null] : [name, value];
}

function minutesOf({ minutes = MINUTES }: Case): number {
  return minutes;
}

/** Runs a case; what is counted for ours may be everything that was sent. */
function played(one: Case, seed: number, ofOurs: 'counts' | 'sent' = 'counts'): Aborted {
  const random = mulberry32(seed);
  const ours: number[] = [];
  const anchors = new Map(ANCHORS.map(([name]) => [name, [] as number[]]));
  for (let run = 0; run < RUNS; run += 1) {
    const minuteOf = one.prepare(random);
    const evidence = canaryEvidence({ toleratedErrorRate: TOLERATED, hasLatencyObjective: true });
    const waiting = new Map(ANCHORS.map(([name, of]) => [name, of(one)]));
    let isOver = false;
    for (let minute = 0; minute < minutesOf(one); minute += 1) {
      const { counts, sent = counts } = minuteOf(minute);
      if (!isOver) {
        evidence.add(ofOurs === 'sent' ? sent : counts);
        isOver = evidence.logEValues().regression >= LOG_REJECTS_AT;
        if (isOver) ours.push(minute + 1);
      }
      for (const [name, anchor] of waiting) {
        if (!anchor(minute, sent)) continue;
        anchors.get(name)?.push(minute + 1);
        waiting.delete(name);
      }
      if (isOver && waiting.size === 0) break;
    }
  }
  return { ours, anchors };
}

/** The share of runs that aborted, beside each anchor; the target is of ours, and said once. */
function aborts(what: string, { ours, anchors }: Aborted, target: Target): void {
  for (const [index, [name, minutes]] of [...anchors].entries())
    figures.push(
      figure(
        what,
        '% of runs',
        percentOf(ours.length),
        anchored(name, percentOf(minutes.length)),
        index === 0 ? target : {},
      ),
    );
}

for (const [index, [id, one]] of Object.entries(HEALTHY).entries()) {
  note(one.name);
  const isReported = id === 'differing' || id === 'differingHeavy' || id === 'arms';
  aborts(`false aborts: ${one.name}`, played(one, SEED + index), isReported ? {} : { oursAtMost: 1 });
}
const counted = played(HEALTHY.retries, SEED, 'sent');
figures.push(
  figure(
    'false aborts: retries, if they were counted as events',
    '% of runs',
    percentOf(counted.ours.length),
    ['each event once: at most', 1],
    {},
  ),
);

for (const [index, [id, one]] of Object.entries(WORSE).entries()) {
  note(one.name);
  const found = played(one, SEED + 100 + index);
  const within = minutesOf(one) * PER_MINUTE;
  const target = id === 'doubled' ? { oursAtLeast: 90 } : {};
  aborts(`found: ${one.name}, within ${within.toLocaleString('en')} requests`, found, target);
  const median = (minutes: readonly number[]): number => quantile(minutes, 0.5) * PER_MINUTE;
  const [zName, z = []] = [...found.anchors][1] ?? [];
  figures.push(
    figure(
      `found: ${one.name}, median`,
      'requests',
      median(found.ours),
      [`${zName}, which aborts falsely`, z.length === 0 ? null : median(z)],
      {},
    ),
  );
}

/** Whether a candidate is proven not to be bad, by the judge, and by a binomial test against the champion's measured rate. */
function finished(rates: { readonly own: number; readonly others: number }, seed: number) {
  const random = mulberry32(seed);
  let [ours, anchor] = [0, 0];
  const requests: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const [comparison, tolerated] = [comparisonProcess(), toleratedProcess(TOLERATED)];
    const seen = { own: 0, others: 0, othersBad: 0, logPlugIn: 0 };
    let [isProven, isPluggedIn] = [false, false];
    for (let minute = 0; minute < MINUTES && !(isProven && isPluggedIn); minute += 1) {
      const own = drawBinomial(PER_MINUTE, SHARE, random);
      const [ownBad, othersBad] = [
        drawBinomial(own, rates.own, random),
        drawBinomial(PER_MINUTE - own, rates.others, random),
      ];
      // Twice the control arm's rate so far, which is as small as the candidate's: it is known no better than that.
      const control = drawBinomial(othersBad, SHARE / (1 - SHARE), random);
      const bad = Math.max(TOLERATED, (2 * seen.othersBad) / Math.max(1, seen.own));
      if (seen.own > 0 && bad < 1)
        seen.logPlugIn += ownBad * Math.log(0.5) + (own - ownBad) * (Math.log1p(-bad / 2) - Math.log1p(-bad));
      seen.own += own;
      seen.othersBad += control;
      comparison.add(own, ownBad, PER_MINUTE - own, othersBad);
      tolerated.add(own, ownBad);
      if (!isPluggedIn && seen.logPlugIn >= LOG_REJECTS_AT) {
        isPluggedIn = true;
        anchor += 1;
      }
      if (!isProven && logNotBadAtAll(tolerated, comparison.logNotBad()) >= LOG_REJECTS_AT) {
        isProven = true;
        ours += 1;
        requests.push(seen.own);
      }
    }
  }
  return { ours: percentOf(ours), anchor: percentOf(anchor), candidateRequests: quantile(requests, 0.5) };
}

const PLUG_IN = 'a binomial e-process against twice the control arm’s measured rate';
note('finishing');
for (const [own, others, isBad] of [
  [0.04, 0.02, true],
  [0.01, 0.001, true],
  [0.02, 0.02, false],
  [0.002, 0.002, false],
  [0, 0, false],
] as const) {
  const { ours, anchor, candidateRequests } = finished({ own, others }, SEED + 200);
  const name = `errors ${100 * own} %, the champion’s ${100 * others} %`;
  figures.push(
    figure(
      `${isBad ? 'bad, and proven not to be' : 'proven not bad'}: ${name}`,
      '% of runs',
      ours,
      anchored(PLUG_IN, anchor),
      isBad ? { oursAtMost: 1 } : {},
    ),
  );
  if (own === 0)
    figures.push(
      figure(
        'proven not bad: no errors in any arm, median',
        'candidate requests',
        candidateRequests,
        ['fewest that exclude 1 % at 1 %', 459],
        { ratioAtMost: 1.1 },
      ),
    );
}

/** Pairs in which both fail 2 %, each side alone 0.1 %, and the candidate alone so many points more. */
function shadow(points: number, pairs: number, seed: number) {
  const random = mulberry32(seed);
  const found: number[] = [];
  const byZ: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const process = pairedProcess();
    const z = peekedZTest('errors');
    let [isFound, isFoundByZ] = [false, false];
    for (let minute = 0; minute < pairs / PER_MINUTE && !(isFound && isFoundByZ); minute += 1) {
      const both = drawBinomial(PER_MINUTE, 0.02, random);
      const own = drawBinomial(PER_MINUTE - both, 0.001 + points / 100, random);
      const other = drawBinomial(PER_MINUTE - both - own, 0.001, random);
      process.add(own, other);
      if (!isFound && process.logMore() >= LOG_REJECTS_AT) isFound = found.push((minute + 1) * PER_MINUTE) > 0;
      if (!isFoundByZ && z(minute, unpaired(both + own, both + other)))
        isFoundByZ = byZ.push((minute + 1) * PER_MINUTE) > 0;
    }
  }
  return { found, byZ };
}

function unpaired(own: number, other: number): CanaryCounts {
  const arm = (errors: number) => ({ ...NOTHING, requests: PER_MINUTE, errors });
  return { candidate: arm(own), control: NOTHING, champion: arm(other) };
}

note('shadows');
for (const [points, pairs, target] of [
  [0, 10_000, { oursAtMost: 1 }],
  [0.5, 10_000, { oursAtLeast: 99 }],
  [2, 10_000, {}],
] as const) {
  const { found, byZ } = shadow(points, pairs, SEED + 300);
  const what = points === 0 ? 'false aborts: paired shadow' : `found: paired shadow, +${points} points of errors`;
  const z = 'the same answers unpaired, a z-test at 1 %, looked at each minute';
  figures.push(
    figure(
      `${what}, within ${pairs.toLocaleString('en')} pairs`,
      '% of runs',
      percentOf(found.length),
      anchored(z, percentOf(byZ.length)),
      target,
    ),
  );
  if (points > 0)
    figures.push(
      figure(`${what}, median`, 'pairs', quantile(found, 0.5), [z, byZ.length === 0 ? null : quantile(byZ, 0.5)], {}),
    );
}

// What the judge itself takes, of the largest number of minutes that a policy can have.
const evidence = canaryEvidence({ toleratedErrorRate: TOLERATED, hasLatencyObjective: true });
const minuteOf = HEALTHY.event.prepare(mulberry32(SEED));
const day = Array.from({ length: 1440 }, () => minuteOf(0).counts);
const judging = await milliseconds(async () => {
  for (const counts of day) evidence.add(counts);
  await Promise.resolve(evidence.logEValues());
});
figures.push(figure('judging a day of minutes', 'ms', judging, ['nothing else does it', null], { oursAtMost: 1000 }));

report(
  'canary',
  {
    title: 'Canary',
    about: `${RUNS.toLocaleString('en')} runs of each case by a fixed seed, ${PER_MINUTE} requests a minute, ${100 * SHARE} % to the candidate and as many to the control arm; ${REQUESTS.toLocaleString('en')} requests of all arms where nothing else is said. A run aborts where the mean of the e-values of errors and latency reaches 100. Targets are those of the false aborts (1 %), of a doubled error rate and of the paired shadow; where error rates differ by entity, assignment by entity has no guarantee, nor has a canary whose arms’ functions fail by themselves: the figures say how much. Anchors see what tools without event ids see: every request, retries included.`,
    versions: {},
  },
  figures,
);
