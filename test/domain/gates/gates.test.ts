import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { GateId } from '#domain/gates/gate.ts';
import { betterThanChampion } from '#domain/gates/gates/better-than-champion.ts';
import { metricBaseline } from '#domain/gates/gates/metric-baseline.ts';
import { releaseIntegrity } from '#domain/gates/gates/release-integrity.ts';
import { dataValidated } from '#domain/gates/gates/data-validated.ts';
import { releasedUpstream, type Upstream } from '#domain/gates/gates/released-upstream.ts';
import { comparisonRule } from '#test/domain/policy/_rule.ts';
import { fortnight, measure } from './_measure.ts';

const rule = comparisonRule({ minimumDays: 14, minimumRows: 10_000 });
const RELEASE = digestOf('release');
const upstream: Upstream = {
  environment: 'staging',
  code: 'RELEASE_PROMOTED',
  release: RELEASE,
  kind: 'trained',
  version: '1.0.0',
  asOf: '2026-03-01',
  seq: 7,
  record: digestOf('record'),
  withdrawn: null,
};

it('the catalogue of gates is the files in gates/', () => {
  const files = readdirSync(new URL('../../../src/domain/gates/gates/', import.meta.url)).map((file) =>
    file.replace(/\.ts$/, ''),
  );
  expect(files.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(GateId.options.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(GateId.options).toEqual([
    'released-upstream',
    'data-validated',
    'release-integrity',
    'metric-baseline',
    'better-than-champion',
    'unit-tests',
    'code-review',
    'integration-tests',
    'load',
    'security-scan',
    'canary-power',
    'shadow',
    'canary',
  ]);
});

describe('better-than-champion', () => {
  it.each([
    ['two per cent better every day', fortnight(0.02), 'PASS'],
    ['just enough better', fortnight(0.0051, 0.0005), 'PASS'],
    ['better beyond doubt, and too little to matter', fortnight(0.002, 0.0001), 'FAIL'],
    ['the same within the noise', fortnight(0, 0.03), 'INCONCLUSIVE'],
    ['better on average, and not beyond doubt', fortnight(0.01, 0.1), 'INCONCLUSIVE'],
    ['worse', fortnight(-0.02), 'FAIL'],
    ['far worse', fortnight(-0.5), 'FAIL'],
  ])('judges a candidate that is %s', (_, found, verdict) => {
    expect(betterThanChampion(found, rule)).toMatchObject({ verdict, numbers: { days: 14, rows: 14_000 } });
  });

  it('tells the numbers that it judged by', () => {
    const { reasons, numbers } = betterThanChampion(fortnight(0.02), rule);
    expect(reasons[0]).toMatch(
      /^superiority: log loss 0\.4410 against the champion's 0\.4500: 2\.00 %, lower bound 1\.\d\d %; needed: at least 0\.50 % with a lower bound above 0$/,
    );
    expect(numbers['improvement']).toBeCloseTo(0.02, 9);
  });

  it('decides nothing on too few days or rows', () => {
    const week = measure(Array.from({ length: 7 }, () => ({ champion: 0.45, candidate: 0.43 })));
    expect(betterThanChampion(week, rule)).toMatchObject({
      verdict: 'INCONCLUSIVE',
      reasons: [
        'holdout: the models were compared on 7 days, 14 are needed; the models were compared on 7000 rows, 10000 are needed',
        'to change it: a holdout of at least 14 days and 10000 rows with labels',
      ],
    });
    expect(betterThanChampion(week, { ...rule, minimumDays: 7, minimumRows: 7001 }).verdict).toBe('INCONCLUSIVE');
    expect(betterThanChampion(week, { ...rule, minimumDays: 7, minimumRows: 7000 }).verdict).toBe('PASS');
  });

  it('fails a candidate that is the champion', () => {
    expect(betterThanChampion({ ...fortnight(0), greatestDifference: 0 }, rule)).toMatchObject({
      verdict: 'FAIL',
      reasons: [expect.stringContaining('identical-artefact: '), expect.stringContaining('to change it: ')],
    });
  });

  it('never passes what is not a number', () => {
    const found = fortnight(0.02);
    const [first] = found.clusters;
    if (first === undefined) throw new Error('no cluster');
    for (const logLoss of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const who of ['champion', 'candidate'] as const) {
        const clusters = [{ ...first, [who]: { ...first[who], logLoss } }, ...found.clusters.slice(1)];
        expect(betterThanChampion({ ...found, clusters }, rule).verdict).toBe('INCONCLUSIVE');
        if (who === 'candidate') expect(metricBaseline({ ...found, clusters }, rule).verdict).toBe('INCONCLUSIVE');
      }
    }
  });
});

describe.each([
  ['better-than-champion', betterThanChampion],
  ['metric-baseline', metricBaseline],
])('%s fails, and names,', (_, gate) => {
  const sound = fortnight(0.02);
  const change = (
    who: 'candidate' | 'champion',
    counts: Partial<ComparisonMeasure['candidate']>,
  ): ComparisonMeasure => ({ ...sound, [who]: { ...sound[who], ...counts } });
  const onlyClass = (positives: number): ComparisonMeasure => ({
    ...sound,
    clusters: sound.clusters.map((cluster) => ({ ...cluster, positives })),
  });
  it.each([
    [
      'predictions that are not numbers',
      change('candidate', { notANumber: 3 }),
      'candidate: 3 predictions are not a number',
    ],
    ['predictions out of range', change('candidate', { outOfRange: 1 }), 'candidate: 1 predictions are outside [0, 1]'],
    ['predictions twice', change('champion', { duplicates: 2 }), 'champion: 2 predictions are duplicates'],
    ['predictions of no row', change('candidate', { unmatched: 5 }), 'candidate: 5 predictions match no row'],
    ['rows without prediction', change('candidate', { missing: 9 }), 'candidate: 9 rows have no prediction'],
    ['features twice', { ...sound, duplicateFeatures: 1 }, '1 duplicate feature rows'],
    ['labels twice', { ...sound, duplicateLabels: 4 }, '4 duplicate labels'],
    ['no rows', { ...measure([]), greatestDifference: null }, 'no row could be compared'],
    ['negatives only', onlyClass(0), 'the labels have one class only'],
    ['positives only', onlyClass(1000), 'the labels have one class only'],
  ])('%s', (_, found, reason) => {
    expect(gate(found, rule)).toMatchObject({
      verdict: 'FAIL',
      reasons: expect.arrayContaining([expect.stringContaining(reason)]),
    });
  });
});

describe('metric-baseline', () => {
  it('asks for more than the base rate knows', () => {
    // 200 of 1,000 rows are positive: the base rate's loss is 0.5004.
    const at = (loss: number) => measure(Array.from({ length: 14 }, () => ({ champion: 0.45, candidate: loss })));
    expect(metricBaseline(at(0.44), rule)).toMatchObject({
      verdict: 'PASS',
      numbers: { skill: expect.closeTo(0.1207, 4) },
    });
    expect(metricBaseline(at(0.4978), rule).verdict).toBe('PASS');
    expect(metricBaseline(at(0.499), rule).verdict).toBe('FAIL');
    expect(metricBaseline(at(0.6), rule).verdict).toBe('FAIL');
  });

  it('fails a model that says the same of every row', () => {
    const found = fortnight(0.02);
    expect(
      metricBaseline({ ...found, candidate: { ...found.candidate, lowest: 0.2, highest: 0.2 } }, rule),
    ).toMatchObject({ verdict: 'FAIL', reasons: ['every prediction is 0.2'] });
  });
});

describe('release-integrity', () => {
  const checks = [{ check: 'files hash to the manifest', problem: null }];
  it.each([
    ['nothing', undefined, 'INCONCLUSIVE'],
    ['a report about another release', { release: digestOf('other'), checks }, 'FAIL'],
    ['no problem', { release: RELEASE, checks }, 'PASS'],
    [
      'a problem',
      { release: RELEASE, checks: [...checks, { check: 'model.onnx is allowed and loads', problem: 'not a model' }] },
      'FAIL',
    ],
  ] as const)('given %s', (_, report, verdict) => {
    expect(
      releaseIntegrity(report === undefined ? undefined : { ...report, checks: [...report.checks] }, RELEASE).verdict,
    ).toBe(verdict);
  });
});

describe('released-upstream', () => {
  it.each([
    ['the environment before', upstream, 'PASS'],
    ['nobody', undefined, 'FAIL'],
    ['another environment', { ...upstream, environment: 'dev' }, 'FAIL'],
    ['the environment before, of another release', { ...upstream, release: digestOf('other') }, 'FAIL'],
    [
      'the environment before, which has rolled it back since',
      { ...upstream, withdrawn: digestOf('rollback') },
      'FAIL',
    ],
  ])('when %s signed', (_, found, verdict) => {
    expect(releasedUpstream(found, RELEASE, 'staging').verdict).toBe(verdict);
  });

  const registered: Upstream = { ...upstream, environment: 'dev', code: 'RELEASE_REGISTERED' };
  const takenBack: Upstream = { ...upstream, withdrawn: digestOf('rollback') };
  it.each([
    ['a hotfix that dev registered', registered, { skipped: undefined }, 'PASS'],
    ['a hotfix that dev offered', { ...registered, code: 'RELEASE_OFFERED' }, { skipped: undefined }, 'PASS'],
    ['a hotfix that staging carries', registered, { skipped: upstream }, 'PASS'],
    ['a hotfix that staging has rolled back', registered, { skipped: takenBack }, 'FAIL'],
    ['a hotfix that nobody registered', undefined, { skipped: upstream }, 'FAIL'],
    ['what is only registered, and no hotfix', registered, undefined, 'FAIL'],
  ] as const)('of %s', (_, found, hotfix, verdict) => {
    expect(releasedUpstream(found, RELEASE, 'dev', hotfix).verdict).toBe(verdict);
  });
});

describe('data-validated', () => {
  const dataCheck = digestOf('evidence');
  const trained: Upstream = { ...upstream, environment: 'dev', code: 'RELEASE_OFFERED', dataCheck };
  const { dataCheck: _, ...unchecked } = trained;
  it.each([
    ['a release whose data was accepted', trained, 'PASS'],
    ['a release that was trained on data that nobody looked at', unchecked, 'FAIL'],
    ['a release of which its trainer has said nothing here', undefined, 'FAIL'],
    ['the record of another release', { ...trained, release: digestOf('other') }, 'FAIL'],
  ] as const)('of %s', (_, found, verdict) => {
    expect(dataValidated(found, RELEASE).verdict).toBe(verdict);
  });
});

describe('better-than-champion, where the policy lets what is likely pass on probation', () => {
  const lenient = { ...rule, provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } };
  it.each([
    ['a gain that is likely and small', fortnight(0.003), 'PASS', true],
    ['a gain that is proven', fortnight(0.02), 'PASS', undefined],
    ['a gain that may be a loss', fortnight(0.003, 0.05), 'INCONCLUSIVE', undefined],
    ['too small a gain', fortnight(0.002), 'FAIL', undefined],
    ['a loss', fortnight(-0.02), 'FAIL', undefined],
  ] as const)('says of %s', (_, found, verdict, provisional) => {
    const result = betterThanChampion(found, lenient);
    expect([result.verdict, result.provisional]).toEqual([verdict, provisional]);
  });

  it('passes nothing provisionally without such a rule', () => {
    expect(betterThanChampion(fortnight(0.003), rule)).not.toHaveProperty('provisional');
  });
});
