import { JOINS } from '#test/domain/data/_joins.ts';
import type { InputOf, MachineName, ScriptOf } from './_scripted.ts';

const refusal = { rule: 'release-integrity', found: 'a value', remedy: 'a remedy' } as const;
export const REFUSED = { status: 'refused', refusal } as const;
export const FAILED_GATE = { status: 'failed', refusal } as const;
const STARTED = '2001-05-01T06:00:00.000Z';
const batch = { work: 'sha256:w', model: 'm', from: 0, to: 12 };
const batches = {
  dailyBatches: [batch],
  featureBatches: [batch, { ...batch, from: 12, to: 24 }],
  scoreBatches: [batch],
};
const child = { Status: 'SUCCEEDED', ExecutionArn: 'arn:child', Output: {} };
const built = { status: 'built', built: 1, refusals: [], refused: null } as const;
const reported = {
  status: 'reported',
  run: 'published',
  published: 2,
  rows: 10,
  carried: 0,
  unscored: [],
  waiting: 0,
  unpublished: 0,
  blockedDays: 0,
  blocked: [],
} as const;
const scored = { status: 'scored', scored: 1, rows: 10, carried: 0, refusals: [], refused: null } as const;

export const PROMOTION = {
  'Open promotion': {
    status: 'opened',
    promotion: 'p',
    model: 'm',
    release: 'sha256:r',
    source: 'staging',
    asOf: '2001-05-01',
    quarantined: [],
    approvals: 'needed',
    canary: 'needed',
    canarySeconds: 280_800,
    trafficFrom: '2001-05-01T06:00:00.000Z',
    closeMinutes: 2,
    approvalSeconds: 172_800,
  },
  'Pull release': { status: 'pulled', files: 6 },
  'Verify release': { release: 'sha256:r', checks: [] },
  'Plan comparison': {
    status: 'planned',
    ...batches,
    comparisons: [{ candidate: 'sha256:r', slice: 'test', comparison: 'sha256:c' }],
  },
  'Build daily partition': built,
  'Build feature partition': built,
  'Score release': scored,
  'Measure comparison': { status: 'measured', comparisons: [], measure: 'sha256:m' },
  'Compare with champion': { status: 'passed' },
  'Measure traffic': { minutes: 'sha256:t', until: '2026-03-02T09:00:00.000Z', requests: 900 },
  'Evaluate gates': { status: 'passed' },
  'Request approvals': { status: 'approved' },
  'Plan rollback target': { release: 'sha256:c', data: 'sha256:d' },
  'Verify rollback target': { checks: [] },
  'Check source data': { kinds: [] },
  'Prepare rollback target': { status: 'ready', target: null },
  'Plan latency': {
    objectiveMs: 1000,
    champion: 'sha256:c',
    days: ['2026-03-02'],
    from: '2026-03-01T09:00:00.000Z',
    until: '2026-03-02T09:00:00.000Z',
  },
  'Measure latency': { baseline: { p99: 40, source: 'champion', answers: 5000 }, reason: '' },
  'Plan aggregates': { status: 'planned', list: 'sha256:l', replaces: null, dailyBatches: batches.dailyBatches },
  'Build aggregates': built,
  'Publish aggregates': { status: 'published' },
  'Watch canary': { ...child, Output: { outcome: { status: 'passed' } } },
  'Commit promotion': { status: 'committed', release: 'sha256:r', epoch: 3 },
  'Verify serving': { status: 'verified' },
  'Roll back': { ...child, Output: { target: { status: 'chosen' } } },
  'Refuse promotion': { status: 'refused', refusal },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'promotion'>;
export const FIRST_RELEASE = {
  'Open promotion': {
    status: 'opened',
    promotion: 'p',
    model: 'm',
    release: 'sha256:r',
    source: 'dev',
    asOf: '2001-05-01',
    quarantined: [],
    approvals: 'none',
    canary: 'none',
    canarySeconds: 21_600,
    trafficFrom: '2001-05-01T06:00:00.000Z',
    closeMinutes: 2,
    approvalSeconds: 86_400,
  },
  'Plan comparison': {
    status: 'no-champion',
    reasons: ['there is no champion yet'],
    dailyBatches: [],
    featureBatches: [],
    scoreBatches: [],
    comparisons: [],
  },
} satisfies Partial<ScriptOf<'promotion'>>;

const at = '2026-03-02T09:00:00.000Z';

export const ROLLBACK = {
  'Switch pointer': { status: 'switched', release: 'sha256:a', version: '0.1.0', from: 'sha256:b', epoch: 3, at },
  'Verify serving': { status: 'verified' },
  'Open incident': { incident: 'i', affected: 3 },
  'Repair predictions': child,
  'Record refusal': { status: 'refused', refusal },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'rollback'>;

export const ROLLBACK_READINESS = {
  'Plan drill': {
    status: 'planned',
    release: 'sha256:a',
    version: '0.1.0',
    epoch: 2,
    startedAt: STARTED,
    data: 'sha256:d',
  },
  'Verify rollback target': { checks: [] },
  'Check source data': { kinds: [] },
  'Record readiness': { status: 'ready', reasons: [] },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'rollback-readiness'>;

export const ROLLBACK_VERIFICATION = {
  'Probe endpoint': { status: 'answered', release: 'sha256:a', epoch: 3, at },
  'Probe endpoint again': { status: 'answered', release: 'sha256:a', epoch: 3, at },
  'Judge probes': { status: 'answers', found: 'two probes', since: at, days: ['2026-03-02'] },
  'Check request log': { status: 'checked', stale: 0, reason: '' },
  'Verify rollback': { status: 'COMPLETE', found: 'two probes' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'rollback-verification'>;

export const CONFIRMATION = {
  'Confirm release': { status: 'confirmed' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'confirmation'>;

export const INCIDENT = {
  'Change incident': { status: 'done', incident: 'm-prod-rollback-2', is: 'acknowledged', rootCause: null },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'incident'>;

const candidate = {
  release: 'sha256:r',
  window: 'growing',
  fingerprint: 'sha256:f',
  metrics: {},
  agreement: null,
  joins: JOINS,
} as const;

export const RETRAINING = {
  'Open retraining run': { model: 'm', run: 'run-1', asOf: '2001-05-01' },
  'Plan windows': {
    status: 'planned',
    dailyBatches: [batch],
    featureBatches: [batch],
    windows: ['short', 'long', 'growing'].map((window) => ({ window, plan: `sha256:${window}`, job: `job-${window}` })),
    check: { plan: 'sha256:growing', from: '2001-01-01', to: '2001-04-26' },
    skipped: [],
  },
  'Build daily partition': built,
  'Build feature partition': built,
  'Validate data': { ...child, Output: { judgement: { status: 'PASS', reasons: [], evidence: 'sha256:e' } } },
  'Export training rows': { status: 'exported', rows: 100, positives: 7, joins: JOINS },
  'Train window': { status: 'trained', artifact: 's3://b/model.tar.gz', seconds: 3 },
  'Package candidates': { status: 'packaged', candidates: [candidate], baseline: null, reasons: [] },
  'Register candidate': { status: 'registered', candidates: [{ release: 'sha256:r', version: '0.1.1' }] },
  'Validate candidates': child,
  'Reject run': { status: 'rejected', result: 'recorded' },
  'Reject unfit data': { status: 'rejected', result: 'recorded' },
  'Reject untrained run': { status: 'rejected', result: 'recorded' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'retraining'>;

/** The answer of the machine that checks data, where it does not simply pass. */
export function unfit(status: string): object {
  return { ...child, Output: { judgement: { status, reasons: ['half of it is missing'], evidence: 'sha256:e' } } };
}

export const DATA_QUALITY = {
  'Plan data check': { status: 'planned', model: 'm', run: 'data-quality-execution', plan: 'sha256:p', partitions: 3 },
  'Stage data': { status: 'staged', staged: 'sha256:s' },
  'Check expectations': { status: 'checked' },
  'Judge data': { status: 'PASS', reasons: [], evidence: 'sha256:e' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'data-quality'>;

export const VALIDATION = {
  'Plan validation': {
    status: 'planned',
    champion: 'sha256:c',
    ...batches,
    comparisons: [{ candidate: 'sha256:r', slice: 'test', comparison: 'sha256:c' }],
  },
  'Build daily partition': built,
  'Build feature partition': built,
  'Score release': scored,
  'Measure comparison': { status: 'measured', comparisons: [] },
  'Evaluate gates': {
    verdict: 'PASS',
    release: 'sha256:r',
    measure: 'sha256:m',
    improvement: 0.02,
    reasons: ['better'],
  },
  'Plan reports': {
    status: 'planned',
    reports: [
      {
        plan: 'sha256:p',
        model: 'm',
        run: 'run-1',
        release: 'sha256:r',
        stability: { plan: 'sha256:sp', day: 'the test days' },
      },
    ],
  },
  'Measure stability': { status: 'measured', measure: 'sha256:s', reason: 'features of the test days' },
  'Explain release': { status: 'explained', explanation: 'sha256:e' },
  'Write report': { status: 'written', html: 'sha256:h', json: 'sha256:j' },
  'Attach report': { status: 'attached', result: 'recorded' },
  'Offer release': { status: 'offered', result: 'recorded' },
  'Reject candidates': { status: 'rejected', result: 'recorded' },
  'Hold as inconclusive': { status: 'held', result: 'recorded' },
  'Hold unmeasured': { status: 'held', result: 'recorded' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'validation'>;

export const BATCH = {
  'Plan reconciliation': {
    status: 'planned',
    kind: 'partial',
    scale: 'inline',
    rows: 'published',
    requested: 1,
    startedAt: STARTED,
    plan: 'sha256:p',
    release: 'sha256:b',
    epoch: 2,
    partitions: 2,
    waiting: 0,
    days: 2,
    ...batches,
  },
  'Build daily partition': built,
  'Build feature partition': built,
  'Score partition': scored,
  'Build daily shard': built,
  'Build feature shard': built,
  'Score shard': scored,
  'Publish rows': { status: 'published', partitions: 1, rows: 10, unpublished: 0, examples: [] },
  'Publish predictions': {
    status: 'published',
    published: 2,
    rows: 10,
    carried: 0,
    unscored: [],
    unscoredCount: 0,
    lists: { published: 1, superseded: 0, unbuilt: [] },
  },
  'Report run': reported,
  'Report idle run': reported,
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'batch-inference'>;

export const PROBATION = {
  'Plan review': {
    status: 'planned',
    release: 'sha256:b',
    shadow: 'sha256:a',
    promotion: 'p',
    epoch: 2,
    asOf: '2001-05-01',
    startedAt: STARTED,
    days: 14,
    isProvisional: false,
    ...batches,
    comparisons: [{ candidate: 'sha256:r', slice: 'fast', comparison: 'sha256:c' }],
    answers: { plan: 'sha256:a' },
  },
  'Build daily partition': built,
  'Build feature partition': built,
  'Score release': scored,
  'Measure comparison': {
    status: 'measured',
    comparisons: [{ candidate: 'sha256:r', slice: 'fast', measure: 'sha256:m' }],
  },
  'Measure answers': { days: [], reason: '' },
  'Judge release': { status: 'confirm', id: 'm-probation-2', reason: 'better on each day', evidence: 'sha256:m' },
  'Confirm release': { ...child, Output: { outcome: { status: 'confirmed' } } },
  'Roll back': { ...child, Output: { target: { status: 'chosen' } } },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'probation'>;

export const DRIFT = {
  'Plan drift check': {
    status: 'planned',
    release: 'sha256:b',
    epoch: 2,
    asOf: '2001-05-01',
    startedAt: STARTED,
    ...batches,
    stability: { plan: 'sha256:p', day: '2001-04-30' },
    comparisons: [{ candidate: 'sha256:r', slice: 'live', comparison: 'sha256:c' }],
    concept: { promotion: 'p', judgeableFrom: '2001-05-01' },
    recompute: { work: 'sha256:w' },
    answers: { plan: 'sha256:a' },
  },
  'Build daily partition': built,
  'Build feature partition': built,
  'Measure stability': { status: 'measured', measure: 'sha256:s', reason: 'features of 2001-04-30' },
  'Measure comparison': {
    status: 'measured',
    comparisons: [{ candidate: 'sha256:r', slice: 'live', measure: 'sha256:m' }],
  },
  'Recompute features': { days: ['2001-04-20'], differences: [], reasons: [] },
  'Measure answers': { days: [], reason: '' },
  'Judge drift': { status: 'stable', inputs: 'stable', reason: 'as they were' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'drift'>;

const SHA = `sha256:${'a'.repeat(64)}`;
const tests = [{ name: 'a test', status: 'passed' as const, found: 'as it must be' }];
const RELEASE_TESTS = {
  'Plan tests': {
    status: 'planned',
    release: SHA,
    scan: 'wanted',
    tests: 'wanted',
    load: 'wanted',
    serving: 'endpoint',
    seconds: 10,
    connections: 2,
    untested: [],
  },
  'Scan release': {
    finding: { kind: 'scan', tool: 'artifact', checked: 9, open: [], more: 0, suppressed: 0 },
    report: SHA,
  },
  'Record scan': { status: 'recorded', seq: 1 },
  'Find predictions': { status: 'found', sample: SHA },
  'Test batch': { tests, requests: SHA },
  'Test endpoint': { tests, answers: SHA },
  'Replay answers': { tests },
  'Record tests': { status: 'recorded', seq: 2 },
  'Load endpoint': {
    finding: { kind: 'load', requests: 9, failed: 0, seconds: 3, throughput: 3, latencyMs: { p50: 1, p99: 2 } },
    report: SHA,
  },
  'Record load': { status: 'recorded', seq: 3 },
  'Conclude tests': { status: 'passed', reasons: [] },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'release-tests'>;

const shadow = {
  most: 1000,
  candidate: 'sha256:r',
  candidateAggregates: null,
  threshold: 0.5,
} as const;

/** A canary that is looked at twice. */
export const CANARY = {
  'Open canary': {
    status: 'opened',
    shadow,
    objectiveMs: 200,
    closeMinutes: 2,
    assigned: { by: 'event', share: 0.1, entity: 'id', champion: 'sha256:c', from: at, until: at },
  },
  'Skip canary': { status: 'finished', found: 'the model answers no requests' },
  'Replay shadow': { status: 'replayed', pairs: SHA, count: 500, leftOut: 0, notReached: 0, bothFailed: 0, reason: '' },
  'Judge shadow': { status: 'passed', found: 'no errors' },
  'Choose salt': { salt: 'p', candidate: null, control: null },
  'Start canary': { status: 'started', startedAt: at, pointerSeq: 4, waitSeconds: 60 },
  'Plan aggregates': { status: 'current' },
  'Build aggregates': built,
  'Publish aggregates': { status: 'published' },
  'Measure canary': { minutes: SHA, until: at, requests: 900 },
  'Judge canary': [
    { status: 'continue', found: 'no errors' },
    { status: 'finished', found: 'no errors' },
  ],
  'Stop canary': { status: 'stopped' },
  'Record failure': { status: 'failed' },
} satisfies ScriptOf<'canary'>;

/** Each machine with an input as it is started with, and a script by which everything goes well. */
export const WELL: { readonly [M in MachineName]: { readonly input: InputOf<M>; readonly script: ScriptOf<M> } } = {
  promotion: { input: { model: 'm' }, script: PROMOTION },
  canary: { input: { model: 'm', promotion: 'p', abort: null }, script: CANARY },
  rollback: {
    input: {
      model: 'm',
      rollback: 'rollback-1',
      actor: 'person:op',
      reason: 'wrong',
      from: 'sha256:b',
      epoch: 2,
      to: null,
    },
    script: ROLLBACK,
  },
  'rollback-readiness': { input: { model: 'm' }, script: ROLLBACK_READINESS },
  'release-tests': { input: { model: 'm' }, script: RELEASE_TESTS },
  'rollback-verification': {
    input: {
      model: 'm',
      rollback: 'rollback-1',
      target: { release: 'sha256:a', from: 'sha256:b', epoch: 3, at },
    },
    script: ROLLBACK_VERIFICATION,
  },
  confirmation: {
    input: {
      model: 'm',
      confirmation: 'confirmation-1',
      actor: 'person:op',
      reason: 'better on each day',
      evidence: null,
      release: 'sha256:b',
      epoch: 2,
    },
    script: CONFIRMATION,
  },
  incident: {
    input: {
      model: 'm',
      incident: 'm-prod-rollback-2',
      act: 'act-1',
      actor: 'person:op',
      action: 'acknowledge',
      comment: '',
      part: null,
      resolution: null,
      rootCause: null,
    },
    script: INCIDENT,
  },
  probation: { input: { model: 'm', asOf: '2001-05-01T06:00:00Z' }, script: PROBATION },
  drift: { input: { model: 'm', asOf: '2001-05-01T06:00:00Z' }, script: DRIFT },
  retraining: { input: { model: 'm', trigger: 'schedule', asOf: '2001-05-01T06:00:00Z' }, script: RETRAINING },
  'data-quality': { input: { model: 'm', training: null }, script: DATA_QUALITY },
  validation: { input: { model: 'm', run: 'run-1', asOf: '2001-05-01', candidates: [] }, script: VALIDATION },
  'batch-inference': { input: { model: 'm', run: 'm-batch-1', trigger: 'schedule' }, script: BATCH },
};
