import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import {
  type DesiredPredictions,
  blastRadius,
  daysToReconcile,
  planReconciliation,
} from '#domain/prediction/reconciliation.ts';
import { daysBetween } from '#domain/data/partition.ts';

const old = digestOf('old');
const current = digestOf('current');
const bad = digestOf('bad');

function inputs(day: string, change: Partial<DesiredPredictions> = {}): DesiredPredictions {
  return {
    day,
    features: digestOf(`features of ${day}`),
    release: current,
    scorer: digestOf('scorer'),
    schema: digestOf('schema'),
    rows: 10,
    isWithdrawn: false,
    ...change,
  };
}

const days = daysBetween('2026-03-01', '2026-03-04');
const first = inputs('2026-03-01');
const second = inputs('2026-03-02');
const third = inputs('2026-03-03');
const fourth = inputs('2026-03-04');
const desired = [first, second, third, fourth];

describe('planReconciliation', () => {
  it.each([
    ['everything is right', desired, 'none', []],
    ['nothing is there yet', [], 'full', days.map((day) => [day, ['no predictions yet']])],
    ['a day is new', desired.slice(0, 3), 'partial', [['2026-03-04', ['no predictions yet']]]],
    [
      'a day was corrected',
      [inputs('2026-03-01', { features: digestOf('before') }), second, third, fourth],
      'partial',
      [['2026-03-01', ['features changed']]],
    ],
    [
      'a rollback after half a run',
      [first, second, { ...third, release: bad }, { ...fourth, release: bad }],
      'partial',
      [
        ['2026-03-03', ['release changed']],
        ['2026-03-04', ['release changed']],
      ],
    ],
    [
      'a new champion',
      desired.map((each) => ({ ...each, release: old })),
      'full',
      days.map((day) => [day, ['release changed']]),
    ],
    [
      'a schema change on its way',
      [first, second, third, { ...fourth, schema: digestOf('narrow'), release: old }],
      'full',
      [['2026-03-04', ['release changed', 'schema changed']]],
    ],
    [
      'another engine',
      [{ ...first, scorer: digestOf('older') }, second, third, fourth],
      'partial',
      [['2026-03-01', ['scorer changed']]],
    ],
    ['days that nobody asks for any more', [...desired, inputs('2025-01-01', { release: old })], 'none', []],
  ])('when %s', (_, actual, kind, work) => {
    const plan = planReconciliation(desired, actual);
    expect(plan.kind).toBe(kind);
    expect(plan.partitions.filter((each) => each.action !== 'keep').map((each) => [each.day, each.reasons])).toEqual(
      work,
    );
    expect(plan).toMatchObject({ toScore: work.length, rows: work.length * 10 });
  });

  it('has nothing to do for a model without partitions', () => {
    expect(planReconciliation([], desired)).toEqual({ kind: 'none', partitions: [], toScore: 0, rows: 0 });
  });

  const release = fc.constantFrom(old, current, bad);
  const state = fc.uniqueArray(
    fc.record({
      day: fc.constantFrom(...days),
      features: release,
      release,
      scorer: release,
      schema: release,
      rows: fc.nat(100),
      isWithdrawn: fc.constant(false),
    }),
    { selector: (each) => each.day },
  );

  it('has nothing left to do once its work is done, and keeps exactly what is right', () => {
    fc.assert(
      fc.property(state, state, (want, have) => {
        const plan = planReconciliation(want, have);
        const scored = new Set(plan.partitions.filter((each) => each.action !== 'keep').map((each) => each.day));
        const after = [...have.filter((each) => !scored.has(each.day)), ...want.filter((each) => scored.has(each.day))];
        expect(planReconciliation(want, after).kind).toBe('none');
        for (const each of want) {
          const right = have.some(
            (other) => JSON.stringify({ ...other, rows: 0 }) === JSON.stringify({ ...each, rows: 0 }),
          );
          expect(scored.has(each.day)).toBe(!right);
        }
      }),
    );
  });
});

describe('daysToReconcile', () => {
  it('keeps the newest days right, and every day that a withdrawn release wrote', () => {
    const actual = [
      inputs('2026-01-05', { release: bad }),
      inputs('2026-01-06'),
      inputs('2026-03-04', { release: bad }),
    ];
    expect(daysToReconcile(days, 2, actual, [bad])).toEqual(['2026-01-05', '2026-03-03', '2026-03-04']);
    expect(blastRadius(actual, [bad])).toEqual(['2026-01-05', '2026-03-04']);
    expect(daysToReconcile(days, 2, actual, [])).toEqual(['2026-03-03', '2026-03-04']);
  });
});
