import { describe, expect, it } from 'vitest';
import {
  type ComparedRow,
  judgeTrainerPredictions,
  MOST_COMPARED,
  TRAINER_TOLERANCE,
} from '#domain/model/trainer-predictions.ts';

const row = (change: Partial<ComparedRow> = {}): ComparedRow => ({
  id: 'e1',
  day: '2001-02-01',
  trainer: 0.5,
  onnx: 0.5,
  ...change,
});

describe('the predictions that a trainer left', () => {
  it('are reproduced within the rounding of 32 bits', () => {
    const rows = [row(), row({ id: 'e2', onnx: 0.5 + 0.9 * TRAINER_TOLERANCE }), row({ trainer: 1 + 1e-9, onnx: 1 })];
    expect(judgeTrainerPredictions(rows)).toEqual({
      kind: 'agrees',
      agreement: { rows: 3, greatestDifference: expect.closeTo(0.9 * TRAINER_TOLERANCE, 10) },
    });
  });

  it('are not: the rows, the greatest difference, its id and the bound are named', () => {
    const rows = [row({ onnx: 0.6 }), row({ id: 'e2', onnx: 0.1 }), row({ id: 'e3' })];
    expect(judgeTrainerPredictions(rows)).toMatchObject({
      refusal: {
        rule: 'onnx-matches-trainer',
        found:
          '3 rows compared, the greatest difference is 0.400 for id e2 of 2001-02-01 (trainer 0.5, ONNX 0.1); 0.0001 is allowed',
      },
    });
    expect(judgeTrainerPredictions([row({ onnx: 0.5 + 1.1 * TRAINER_TOLERANCE })]).kind).toBe('refused');
  });

  it.each<[string, readonly ComparedRow[], string]>([
    ['none', [], 'has 0 rows, 1 to 1000 are allowed'],
    ['too many', Array.from({ length: MOST_COMPARED + 1 }, () => row()), 'has 1001 rows'],
    ['a NaN', [row(), row({ id: 'e7', trainer: Number.NaN })], 'probability of e7 is NaN'],
    ['a null', [row({ trainer: null })], 'probability of e1 is null'],
    ['a logit', [row({ trainer: -2.5 })], 'probability of e1 is -2.5'],
    [
      'an unknown id',
      [row(), row({ id: 'e8', onnx: undefined })],
      '1 of 2 rows were not trained on, such as id e8 of day 2001-02-01',
    ],
    ['an ONNX file that gives none', [row({ onnx: Number.NaN })], 'the greatest difference is Infinity'],
    [
      'one that gives none beside one that does',
      [row(), row({ onnx: Number.NaN })],
      'the greatest difference is Infinity',
    ],
    ['one that gives none, and then one', [row({ onnx: Number.NaN }), row()], 'the greatest difference is Infinity'],
  ])('are refused where there is %s', (_, rows, found) => {
    expect(judgeTrainerPredictions(rows)).toMatchObject({
      kind: 'refused',
      refusal: { found: expect.stringContaining(found) },
    });
  });
});
