import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { FeatureWork, predictionDigest, ScoreWork, type WorkBatch } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import type { Scoring } from '#ports/scoring.ts';
import { measureComparison } from '#use-cases/data/measure-comparison.ts';
import { planComparison } from '#use-cases/data/plan-comparison.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import { evaluateCandidates } from '#use-cases/validation/evaluate-candidates.ts';
import { admitDays } from './_admitted.ts';
import { bytes, definition, deployed, type Environment, MODEL, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

/** Champions that a candidate cannot simply be compared with. */
let dev: Environment;
beforeEach(async () => {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-24');
});

const plan = (champion: Digest, candidate: Digest) =>
  planComparison(dev, {
    model: MODEL,
    asOf: '2001-01-25',
    champion,
    candidates: [candidate],
    slices: ['selection', 'test'],
    rule: { cluster: 'day', slices: { columns: [], largest: 12, level: 0.05, tolerance: 0.05 } },
  });

/** Every feature partition of a plan, as if it had been built. */
async function build(batches: readonly WorkBatch[]): Promise<void> {
  for (const { work } of batches) {
    const { features } = parseCanonical(FeatureWork, await dev.documents.read(work), 'feature work');
    for (const { day, digest } of features)
      dev.lake.objects.set(`${MODEL}/features/${digest}`, { content: bytes(day), sha256: digestOf(day), rows: 10 });
  }
}

describe('a champion that no longer loads', () => {
  /** Scoring in which one model is refused, as the scorer refuses an operator that it does not know any more. */
  const scoring: Scoring = {
    ...world().environment('dev').scoring,
    async withModel(model, of, work) {
      const found = 'operator Frobnicate is not known to this scorer';
      if (Buffer.from(model).toString() === 'MODEL old')
        return { kind: 'refused', refusal: { rule: 'onnx-loads', found, remedy: 'train it anew' } };
      return dev.scoring.withModel(model, of, work);
    },
  };

  it('leaves the comparison undecided, in words that say so, and no candidate is offered for want of an opponent', async () => {
    const champion = await makeRelease(dev.releases, 'old');
    const candidate = await makeRelease(dev.releases, 'new');
    const planned = await plan(champion, candidate);
    expect(planned.status).toBe('planned');
    await build(planned.featureBatches);
    const scores = await Promise.all(planned.scoreBatches.map((batch) => scorePartitions({ ...dev, scoring })(batch)));
    expect(scores.map((each) => (each as { status: string }).status).toSorted()).toEqual(['refused', 'scored']);
    const engine = { measureComparison: async () => Promise.reject(new Error('is never asked')) };
    const measured = await measureComparison({ ...dev, engine: engine as unknown as FeatureEngine })({
      comparisons: planned.comparisons,
      scores,
    });
    expect(measured).toMatchObject({
      status: 'insufficient',
      reasons: [
        expect.stringMatching(/^predictions of 2001-01-\d\d: onnx-loads: operator Frobnicate is not known/),
        expect.stringContaining('is not there'),
      ],
    });
    const verdict = await evaluateCandidates({ deployed, documents: dev.documents })({ model: MODEL, measured });
    expect(verdict).toMatchObject({
      verdict: 'INCONCLUSIVE',
      reasons: [expect.stringContaining('onnx-loads'), expect.anything()],
    });
  });
});

describe('a champion with another schema', () => {
  const other: ModelDefinition = {
    ...definition,
    features: { ...definition.features, columns: ['x', 'z', 'another'] },
  };

  it('is scored on features of its own, and compared on the same rows and labels', async () => {
    const champion = await makeRelease(dev.releases, 'old', 'trained', {
      definition: other,
      sql: SQL,
      onnx: bytes('MODEL old'),
    });
    const candidate = await makeRelease(dev.releases, 'new');
    const planned = await plan(champion, candidate);
    expect(planned.status).toBe('planned');
    await build(planned.featureBatches);
    const items = await Promise.all(
      planned.scoreBatches.map(
        async ({ work }) => parseCanonical(ScoreWork, await dev.documents.read(work), 'work').items,
      ),
    );
    const featuresOf = (release: Digest) =>
      new Map(items.flat().flatMap((item) => (item.release === release ? [[item.day, item.features] as const] : [])));
    const [theirs, ours] = [featuresOf(champion), featuresOf(candidate)];
    expect([...theirs.keys()]).toEqual([...ours.keys()]);
    for (const [day, digest] of theirs) expect(digest).not.toBe(ours.get(day));
    const test = planned.comparisons.find(({ slice }) => slice === 'test');
    const document = await dev.documents.read(test?.comparison ?? digestOf(''));
    const {
      features,
      championPredictions,
      candidatePredictions,
      definition: by,
    } = parseCanonical(ComparisonPlan, document, 'plan');
    expect(by).toBe(digestOf(canonicalJson(definition)));
    const predicted = (of: ReadonlyMap<string, Digest>, release: Digest) =>
      [...of].slice(-features.length).map(([, digest]) => predictionDigest(digest, release, dev.scorer));
    expect(championPredictions).toEqual(predicted(theirs, champion));
    expect(candidatePredictions).toEqual(predicted(ours, candidate));
  });
});
