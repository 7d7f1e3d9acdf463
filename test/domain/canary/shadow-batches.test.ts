import { expect, it } from 'vitest';
import { type AnsweredPair, shadowBatches } from '#domain/canary/shadow-batches.ts';

const RULE = { objectiveMs: 100, threshold: 0.5 };
const answer = (probability: number, milliseconds = 10) => ({ probability, milliseconds });
const NONE = {
  candidateErrors: 0,
  championErrors: 0,
  candidateActs: 0,
  championActs: 0,
  candidateSlow: 0,
  championSlow: 0,
};

it('counts where the two differ, nothing where they agree, and no pair where both fail', () => {
  const pairs: AnsweredPair[] = [
    { candidate: null, champion: null },
    { candidate: null, champion: answer(0.9, 500) },
    { candidate: null, champion: answer(0.1) },
    { candidate: answer(0.9, 500), champion: null },
    { candidate: answer(0.5), champion: answer(0.4999) },
    { candidate: answer(0.1), champion: answer(0.9) },
    { candidate: answer(0.7), champion: answer(0.9) },
    { candidate: answer(0.1, 101), champion: answer(0.1, 100) },
    { candidate: answer(0.6, 99), champion: answer(0.1, 200) },
    { candidate: answer(0.1, 300), champion: answer(0.1, 200) },
  ];
  expect(shadowBatches(pairs, RULE)).toEqual([
    {
      pairs: 9,
      candidateErrors: 2,
      championErrors: 1,
      candidateActs: 2,
      championActs: 1,
      candidateSlow: 1,
      championSlow: 1,
    },
  ]);
  expect(shadowBatches(pairs, { objectiveMs: null, threshold: null })).toEqual([
    { pairs: 9, ...NONE, candidateErrors: 2, championErrors: 1 },
  ]);
});

it('makes batches of a hundred, in their order', () => {
  const pairs = Array.from({ length: 250 }, (_, index) => ({
    candidate: index < 200 ? answer(0.1) : null,
    champion: answer(0.1),
  }));
  expect(shadowBatches(pairs, RULE)).toEqual([
    { pairs: 100, ...NONE },
    { pairs: 100, ...NONE },
    { pairs: 50, ...NONE, candidateErrors: 50 },
  ]);
  expect(shadowBatches([], RULE)).toEqual([]);
  expect(
    shadowBatches(
      Array.from({ length: 250 }, () => ({ candidate: null, champion: null })),
      RULE,
    ),
  ).toEqual([]);
});
