import { expect, it } from 'vitest';
import { trainingMetrics } from '#domain/model/training-metrics.ts';

const of = (text: string) => trainingMetrics(new TextEncoder().encode(text));

it('keeps the numbers, and loses what is none with its name only', () => {
  expect(of('{"auc": NaN, "rows": 10}')).toEqual({ rows: 10 });
  expect(
    of('{"loss": -Infinity, "gain": Infinity, "rows": 10, "note": "NaN, \\"Infinity", "deep": {"a": NaN}}'),
  ).toEqual({
    rows: 10,
  });
  expect(of('{"logLoss": 0.4, "missing": null, "yes": true}')).toEqual({ logLoss: 0.4 });
});

it.each(['', 'none', '[1]', '"text"', 'null', '{"a": nan}', '{"a": 1,}', `{"${'n'.repeat(41)}": 1}`])(
  'says nothing of %.20s',
  (text) => {
    expect(of(text)).toEqual({});
  },
);
