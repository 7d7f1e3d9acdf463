import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrap } from '#domain/statistics/bootstrap.ts';
import { holm } from '#domain/statistics/holm.ts';
import { clusteredAuc, rank, type Ranking } from '#domain/statistics/ranking.ts';
import { clustersOf, fixture, type Rows } from './_fixture.ts';

function ranked(rows: Rows, side: 'champion' | 'candidate'): Ranking {
  return rank({
    scores: Float64Array.from(rows[side].prediction),
    positive: Uint8Array.from(rows.label),
    sizes: clustersOf(rows).map((cluster) => cluster.rows),
  });
}

function isClose(found: readonly number[] | undefined, expected: readonly number[] | undefined): void {
  expect(found).toHaveLength(expected?.length ?? -1);
  for (const [index, value] of (expected ?? []).entries()) expect(found?.[index]).toBeCloseTo(value, 10);
}

describe('the ranking of rows', () => {
  it.each(fixture.ranking)('gives what scikit-learn gives, with ties and without (case %#)', (rows) => {
    for (const side of ['champion', 'candidate'] as const) {
      const found = ranked(rows, side);
      expect(found.auc).toBeCloseTo(rows[side].auc, 12);
      expect(found.averagePrecision).toBeCloseTo(rows[side].averagePrecision, 12);
      expect(found.pairs).toEqual(rows[side].pairs);
    }
  });

  it('does not depend on the order of the rows of a cluster in any bit', () => {
    const row = fc.record({ score: fc.constantFrom(0, 0.1, 0.2, 0.25, 0.7, 1), positive: fc.constantFrom(0, 1) });
    const shuffled = fc
      .array(row, { minLength: 1, maxLength: 40 })
      .chain((rows) =>
        fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length, maxLength: rows.length })),
      );
    fc.assert(
      fc.property(shuffled, (orders) => {
        const [one, other] = orders.map((rows) =>
          rank({
            scores: Float64Array.from(rows, ({ score }) => score),
            positive: Uint8Array.from(rows, ({ positive }) => positive),
            sizes: [rows.length],
          }),
        );
        expect(one).toEqual(other);
      }),
    );
  });

  it('has no area where a class is absent', () => {
    const of = (positive: readonly number[]) =>
      rank({ scores: Float64Array.of(0.1, 0.2), positive: Uint8Array.from(positive), sizes: [1, 1] });
    expect(of([0, 0])).toMatchObject({ auc: null, averagePrecision: null });
    expect(of([1, 1])).toMatchObject({ auc: null, averagePrecision: 1 });
    expect(rank({ scores: new Float64Array(), positive: new Uint8Array(), sizes: [] })).toEqual({
      auc: null,
      averagePrecision: null,
      pairs: [],
    });
  });
});

describe('intervals by resampling clusters', () => {
  const cases = fixture.ranking.filter((rows) => rows.bootstrap !== undefined);
  it.each(cases)('are those of rows weighted by how often their cluster is drawn (case %#)', (rows) => {
    const clusters = clustersOf(rows);
    const [champion, candidate] = [ranked(rows, 'champion'), ranked(rows, 'candidate')];
    const of = (less?: Ranking['pairs']) => clusteredAuc(clusters, candidate.pairs, rows.confidence, less)?.interval;
    isClose(of(), rows.bootstrap?.auc);
    isClose(of(champion.pairs), rows.bootstrap?.difference);
    const total = (losses: readonly number[], drawn: Uint32Array) =>
      losses.reduce((sum, loss, index) => sum + loss * (drawn[index] ?? 0), 0);
    const gain = (drawn: Uint32Array) => 1 - total(rows.candidate.logLoss, drawn) / total(rows.champion.logLoss, drawn);
    isClose(bootstrap(clusters.length, gain, rows.confidence)?.interval, rows.bootstrap?.gain);
  });

  it('are the same each time, and none where most resamples say nothing', () => {
    const first = (drawn: Uint32Array) => drawn[0] ?? 0;
    expect(bootstrap(9, first, 0.95)).toEqual(bootstrap(9, first, 0.95));
    expect(bootstrap(9, () => Number.NaN, 0.95)).toBeUndefined();
  });
});

describe('Holm’s adjustment', () => {
  it.each(fixture.holm)('is the closed test of Bonferroni tests: $values', ({ values, adjusted }) => {
    isClose(holm(values), adjusted);
  });
});
