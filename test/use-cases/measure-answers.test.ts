import { expect, it } from 'vitest';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { AnsweredDay } from '#domain/prediction/answers.ts';
import { AnswersPlan } from '#domain/prediction/answers.ts';
import { writeDocument } from '#ports/documents.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import { measureAnswers } from '#use-cases/requests/measure-answers.ts';
import { bytes, definition, MODEL, world } from './_environments.ts';

/** Measures the answers of a day by an engine that finds something, or throws. */
async function measured(engine: Pick<FeatureEngine, 'measureAnswers'>, isOnline = true) {
  const { documents, releases, lake } = world().environment('prod');
  await releases.write(bytes(canonicalJson(definition)));
  const plan = await writeDocument(documents, AnswersPlan, {
    formatVersion: 1,
    model: MODEL,
    definition: digestOf(canonicalJson(definition)),
    days: [{ day: '2026-03-01', predictions: null }],
    labels: [],
  });
  const deps = { engine: engine as FeatureEngine, documents, releases, lake, requests: memoryRequestStore() };
  return measureAnswers(deps)({ answers: { plan: isOnline ? plan : (null as Digest | null) } });
}
const nothing: AnsweredDay[] = [];

it('says what the engine found', async () => {
  expect(await measured({ measureAnswers: async () => ({ kind: 'measured', days: nothing }) })).toEqual({
    days: [],
    reason: '',
  });
});

it('says why nothing is known, and throws nothing, whatever happens', async () => {
  const refusal = { rule: 'data-fits-in-memory' as const, found: 'too many', remedy: 'fewer' };
  expect(await measured({ measureAnswers: async () => ({ kind: 'refused', refusal }) })).toEqual({
    days: [],
    reason: 'data-fits-in-memory: too many',
  });
  expect(await measured({ measureAnswers: () => Promise.reject(new TypeError('no file')) })).toEqual({
    days: [],
    reason: 'TypeError: no file',
  });
});

it('is nothing of a model that answers no requests', async () => {
  const engine = { measureAnswers: () => Promise.reject(new Error('it was asked')) };
  expect(await measured(engine, false)).toEqual({ days: [], reason: '' });
});
