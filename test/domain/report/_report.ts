import { digestOf, type Digest } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure, ScoreBin } from '#domain/comparison/measure.ts';
import { type EvaluationReport, evaluationReport, type InputDrift } from '#domain/report/evaluation-report.ts';
import type { Explanation } from '#domain/report/explanation.ts';
import type { ReportPlan } from '#domain/report/report-plan.ts';
import type { ReleaseManifest } from '#domain/release/manifest.ts';
import { definition, policy } from '#test/use-cases/_environments.ts';
import { fortnight } from '../gates/_measure.ts';

export const [CHOSEN, OTHER] = [digestOf('chosen'), digestOf('other')];

/** A measure with everything that a report can show: spread scores, decisions, and two slices. */
export function fullMeasure(gain: number): ComparisonMeasure {
  const found = fortnight(gain);
  const bins = (shift: number): ScoreBin[] =>
    Array.from({ length: 30 }, (_, index) => {
      const p = 1 / (1 + Math.exp(-(index - 25 + shift) / 10));
      return { bin: index - 25 + shift, rows: 400, positives: Math.round(400 * p), predicted: 400 * p };
    });
  return {
    ...found,
    slices: ['ATL', 'ORD'].map((value) => ({ column: 'origin', value, clusters: found.clusters })),
    scores: { width: 0.1, champion: bins(3), candidate: bins(0) },
    decisions: {
      threshold: 0.2,
      clusters: found.clusters.map(({ cluster }, index) => ({
        cluster,
        champion: { flagged: 300, hits: 100 },
        candidate: { flagged: 290 + index, hits: 110 },
      })),
    },
  };
}

function manifest(window: string): ReleaseManifest {
  const { image, hyperparameters, seed, code } = definition.training;
  return {
    formatVersion: 1,
    model: 'toy',
    kind: 'trained',
    files: [],
    data: {
      asOf: '2001-03-20',
      window: { name: window, from: '2001-01-10', to: '2001-02-14' },
      fingerprint: digestOf('data'),
      partitions: 36,
      labelsUntil: '2001-02-15',
    },
    training: { image, hyperparameters, seed, code },
    recipe: digestOf('recipe'),
    code: { commit: 'commit' },
    schemas: { input: digestOf('input'), output: digestOf('output') },
  };
}

const EXPLAINED: Explanation = {
  formatVersion: 1,
  status: 'explained',
  importances: {
    rows: 4000,
    repeats: 5,
    seed: 1,
    features: [
      { name: 'x', change: 0.2, lowest: 0.19, highest: 0.21 },
      { name: 'y', change: 0.4, lowest: 0.38, highest: 0.43 },
    ],
  },
};

const MOVED: InputDrift = {
  status: 'measured',
  measure: digestOf('stability'),
  rows: { reference: 9000, current: 4000 },
  inputs: ['x', 'y'].map((input, place) => ({
    input,
    index: 0.02 + 0.2 * place,
    bins: [],
    missing: { reference: 0, current: 0 },
  })),
};

/** A report of a run with two candidates; the chosen one gains three per cent where the other gains two. */
export function report(
  change: {
    readonly of?: Digest;
    readonly plan?: Partial<ReportPlan>;
    readonly test?: ComparisonMeasure;
    readonly explanation?: Explanation;
    readonly drift?: InputDrift;
  } = {},
): EvaluationReport {
  const measured = (of: string) => ({ comparison: digestOf(`plan ${of}`), measure: digestOf(`measure ${of}`) });
  const candidate = (release: Digest, version: string) => ({
    release,
    version,
    dataCheck: null,
    selection: measured(`${version} selection`),
    test: measured(`${version} test`),
  });
  return evaluationReport({
    plan: {
      formatVersion: 1,
      model: 'toy',
      run: 'toy-run-1',
      asOf: '2001-03-20',
      champion: { release: digestOf('champion'), version: '0.1.0' },
      policy: digestOf('policy'),
      rule: { ...policy.comparison, slices: { ...policy.comparison.slices, columns: ['origin'] } },
      costs: { falsePositive: 5, falseNegative: 20 },
      drift: { stable: ['x'], index: 0.1, minimumRows: 1000, disagreement: 1.3, retrainAtMostEveryDays: 7 },
      card: { intendedUse: ['to be tried'], limits: ['it is made up'] },
      conclusion: { verdict: 'PASS', chosen: CHOSEN, reasons: ['it is better'] },
      candidates: [candidate(CHOSEN, '0.1.1'), candidate(OTHER, '0.1.2')],
      ...change.plan,
    },
    release: change.of ?? CHOSEN,
    definition,
    evaluated: [
      { manifest: manifest('long'), selection: fortnight(0.03), test: change.test ?? fullMeasure(0.03) },
      { manifest: manifest('short'), selection: fortnight(0.02), test: fullMeasure(0.02) },
    ],
    explanation: change.explanation ?? EXPLAINED,
    drift: change.drift ?? MOVED,
  });
}
