import { definePolicyFloor } from '#model/define-policy.ts';

/**
 * What is promoted because it is likely better is judged while it serves, against what it replaced: rolled back when 5,000
 * labels that are a day old prove it clearly worse, and confirmed or rolled back after a week. Five of its days have labels by then.
 */
const probation = {
  days: 7,
  minimumDays: 5,
  fast: { minimumLabels: 5000, hours: 24, loss: 0.02, provenLoss: 0.01 },
};

/**
 * A model that answers requests answers a tenth of them for a day before it answers all. A candidate that fails one request in a hundred, and
 * twice as many as the champion, is found in nine of ten canaries, or the canary does not begin.
 */
const canary = {
  share: 0.1,
  hours: 24,
  deadlineHours: 72,
  toleratedErrorRate: 0.01,
  noErrors: false,
  assignment: 'event' as const,
  // Whoever asks waits for so long at most before the champion answers.
  armMs: 2000,
  closeMinutes: 2,
  staleMinutes: 15,
  power: 0.9,
  // Half of what a canary needs at this rate; a better model may decide otherwise, so that decisions are no reason.
  shadow: { minimumPairs: 500, decisions: false },
  // An endpoint that few ask has no canary: then a person who answers for the risk says that the shadow is enough.
  shadowOnly: [{ role: 'risk' as const, count: 1 }],
};

/** What no model's policy may loosen. Durations are hours; gains and skills are shares of the log loss. */
export default definePolicyFloor({
  // Who changes the rules by which models are promoted: two people, of whom none has to be the one who wrote the change.
  activation: [
    { role: 'platform', count: 1 },
    { role: 'risk', count: 1 },
  ],
  comparison: {
    // Rows of one day rise and fall together: a test by rows calls noise a gain in four cases of ten.
    cluster: 'day',
    // A gain below half a percent is noise, whatever the test says; two seeds of one recipe differ by up to 0.85 %.
    minimumImprovement: 0.005,
    minimumImprovementSeeded: 0.01,
    seeded: false,
    confidence: 0.95,
    minimumDays: 7,
    minimumRows: 2000,
    minimumSkill: 0.005,
    // Promoted on probation, where a transition knows one: likely better, and hardly worse.
    provisional: { minimumImprovement: 0.0025, tolerance: 0.01 },
    // The largest healthy gain seen over a trained champion was 5 %; a leaked label gave 30 %.
    tooGood: 0.08,
    // Observed / predicted swings between 0.6 and 1.6 by the week; three flipped labels in ten make it 3.
    baseRateFactor: 2,
    // A tolerance of 2 % blocked models that were truly better.
    slices: { columns: [], largest: 12, level: 0.05, tolerance: 0.05 },
    guards: { brier: 0.02, averagePrecision: 0.1, calibration: 2 },
  },
  data: {
    // Every model says what it expects of its events, its labels and the rows that it is trained on.
    expectations: ['events', 'labels', 'features'],
    // A source that is half missing passes every test of a model that trained on it. Healthy days stay within 21 %.
    rowCounts: { tolerance: 0.3, weeks: 8, minimumWeeks: 3 },
    // A day that was withdrawn is a hole that somebody made; a history with more of them is another one.
    withdrawn: 0.1,
    labelCoverage: 0.95,
    // A label of no event is one of another source, or of an id that is written otherwise: no healthy source has many.
    unmatchedLabels: 0.05,
    // Nobody knows how an event will end before it happens: a label that says so has the time of another clock, or knows more.
    // No label of the flights does, and one in a hundred may be a clock that is off around midnight.
    earlyLabels: 0.01,
    // Corrections are few; a source that delivers everything twice has a half.
    replacedLabels: 0.1,
    // The best input of a healthy model says little by itself; one that exists only after the event says it all.
    leakageAuc: 0.9,
  },
  // No input is stable in every model: each names its own. On 103 days of flights the highest index of a healthy one was
  // 0.031, the lowest under kilometres 0.354. Chance alone gives 9 / rows with ten bins: 0.023 +- 0.011 at 400 rows.
  // A first day above 1.3 was seen in 18 of 19 skewed weeks and in 2 of 19 healthy ones: it alerts, and rolls nothing back.
  drift: { stable: [], index: 0.1, minimumRows: 400, disagreement: 1.3, retrainAtMostEveryDays: 7 },
  // More than one failed request in twenty, more than one answer in a hundred that takes twice as long as before, or three failed
  // probes in a row. One rollback a day: where the release before it fails as well, the cause is elsewhere, and people look.
  serving: {
    errors: { rate: 0.05, minutes: 5, minimumCount: 5 },
    latency: { factor: 2, share: 0.01, minutes: 10, minimumCount: 5 },
    health: { failures: 3 },
    confidence: 0.95,
    hoursBetweenRollbacks: 24,
  },
  // An incident that nobody acknowledges within an hour is the next role's as well; two days later people know why it happened.
  operations: { acknowledgeMinutes: 60, rootCauseHours: 48, rehashDays: 30, retentionDays: 30 },
  // No CI system is known yet, and no person's claim counts: what staging finds by itself is what there is. A run of load is short, and
  // two runs of the same release differ: it fails a release that answers at half the baseline's rate, and no smaller loss.
  attestations: {
    producers: [],
    people: [],
    unitTests: { validDays: 90 },
    codeReview: { roles: ['ml-engineer', 'ml-lead'], count: 1 },
    integrationTests: { validDays: 30 },
    load: { validDays: 30, seconds: 10, connections: 2, failures: 0, shareOfBaseline: 0.5 },
    securityScan: { validDays: 7, severity: 'high', tools: ['artifact'], waivers: [] },
  },
  transitions: {
    initial: {
      gates: ['released-upstream', 'release-integrity'],
      approvals: [],
      opensOnOffer: true,
      evidenceValidHours: 24,
      approvalHours: 24,
    },
    staging: {
      gates: ['released-upstream', 'data-validated', 'release-integrity', 'metric-baseline', 'better-than-champion'],
      approvals: [],
      opensOnOffer: true,
      evidenceValidHours: 72,
      approvalHours: 48,
      probation,
    },
    prod: {
      // Integration tests, load and scan are what staging finds out by itself. Whoever has CI adds unit-tests and code-review: see the README.
      gates: [
        'released-upstream',
        'data-validated',
        'release-integrity',
        'metric-baseline',
        'better-than-champion',
        'integration-tests',
        'load',
        'security-scan',
        // Asked before people are; the last two are evaluated after they have approved, while customers are watched.
        'canary-power',
        'shadow',
        'canary',
      ],
      approvals: [
        { role: 'ml-lead', count: 1 },
        { role: 'platform', count: 1 },
      ],
      opensOnOffer: false,
      // People have two days, and a canary has three to become 24 hours with traffic.
      evidenceValidHours: 144,
      approvalHours: 48,
      probation,
      canary,
    },
    // Past staging, straight from dev: proven in prod like everything else, and promoted by more people, who decide at once.
    hotfix: {
      gates: ['released-upstream', 'data-validated', 'release-integrity', 'metric-baseline', 'better-than-champion'],
      approvals: [
        { role: 'ml-lead', count: 1 },
        { role: 'platform', count: 1 },
        { role: 'risk', count: 1 },
      ],
      opensOnOffer: false,
      evidenceValidHours: 24,
      approvalHours: 12,
    },
  },
});
