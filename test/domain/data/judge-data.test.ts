import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { CheckedPartition } from '#domain/data/data-check.ts';
import { type DataEvidence, judgeData } from '#domain/data/judge-data.ts';
import { daysBetween, type ObjectReference } from '#domain/data/partition.ts';
import type { DataRule } from '#domain/policy/policy.ts';
import { JOINS } from './_joins.ts';

const rule: DataRule = {
  rowCounts: { tolerance: 0.3, weeks: 8, minimumWeeks: 3 },
  withdrawn: 0.1,
  labelCoverage: 0.95,
  unmatchedLabels: 0.05,
  earlyLabels: 0.01,
  replacedLabels: 0.1,
  leakageAuc: 0.9,
};
const object = {} as ObjectReference;
const DAYS = daysBetween('2001-01-01', '2001-02-11');
const digest = (kind: string, day: string) => digestOf(`${kind} ${day}`);
const catalogue = DAYS.flatMap((day) =>
  (['events', 'labels'] as const).map((kind) => ({ kind, day, digest: digest(kind, day), objects: [object] })),
);
const checked = catalogue.map(({ kind, day, digest: of }): CheckedPartition => ({
  kind,
  day,
  digest: of,
  suite: digestOf(kind),
  rows: 1000,
  failures: [],
}));
const rows = {
  joins: JOINS,
  events: 10_000,
  rows: 9_900,
  positives: 900,
  inputs: [{ column: 'x', missing: 0, auc: 0.6 }],
};
const batch = { kind: 'features', day: null, version: null, rows: 9_900, evaluated: 3, failures: [] } as const;
const healthy: DataEvidence = {
  catalogue,
  checked,
  span: { from: '2001-01-15', to: '2001-02-11' },
  used: catalogue,
  refused: [],
  training: { rows, batch: { ...batch, failures: [] } },
};
const failure = {
  expectation: 'expect_column_values_to_be_between',
  about: 'column=x',
  found: '3 of 1000 values, such as 99',
};
const off = (day: string, count: number): readonly CheckedPartition[] =>
  checked.map((each) => (each.kind === 'events' && each.day === day ? { ...each, rows: count } : each));

describe('data that is to be trained on', () => {
  it('passes where it is as usual', () => {
    expect(judgeData(healthy, rule)).toEqual({ verdict: 'PASS', reasons: [] });
  });

  it.each<[string, Partial<DataEvidence>, string]>([
    [
      'labels that meet no event',
      { training: { rows: { ...rows, joins: { ...JOINS, unmatched: 600 } }, batch: { ...batch, failures: [] } } },
      '6.1 % of 9900 labels meet no event, allowed: 5.0 %; compare the ids of events and labels',
    ],
    [
      'labels before their event',
      { training: { rows: { ...rows, joins: { ...JOINS, early: 100 } }, batch: { ...batch, failures: [] } } },
      '1.0 % of 9900 labels arrived before their event, allowed: 1.0 %; compare the clocks of both sources',
    ],
    [
      'labels that later ones replace',
      {
        training: {
          rows: { ...rows, joins: { ...JOINS, labels: 19_800, replaced: 9900 } },
          batch: { ...batch, failures: [] },
        },
      },
      '50.0 % of 19800 labels are replaced by a later one, allowed: 10.0 %; a source repeats or corrects itself',
    ],
    [
      'an expectation of a day that is not met',
      {
        checked: checked.map((each) =>
          each.kind === 'labels' && each.day === '2001-02-01' ? { ...each, failures: [failure] } : each,
        ),
      },
      'labels of 2001-02-01: expect_column_values_to_be_between(column=x): 3 of 1000 values, such as 99',
    ],
    [
      'an expectation of the training rows that is not met',
      { training: { rows, batch: { ...batch, failures: [failure] } } },
      'the training rows: expect_column_values_to_be_between(column=x): 3 of 1000 values, such as 99',
    ],
    [
      'training rows that no suite has seen',
      { training: { rows, batch: undefined } },
      'no suite has looked at the training rows',
    ],
    [
      'a day that no suite has seen',
      { checked: checked.filter(({ day }) => day !== '2001-02-01') },
      'no suite has looked at it',
    ],
    ['a day that is half there', { checked: off('2001-02-05', 500) }, 'events of 2001-02-05: 500 rows, usual are 1000'],
    ['a day that is there twice over', { checked: off('2001-02-05', 2000) }, '2000 rows, usual are 1000'],
    [
      'the same bytes under two days',
      {
        catalogue: catalogue.map((each) =>
          each.kind === 'events' && each.day === '2001-02-05'
            ? { ...each, digest: digest('events', '2001-01-29') }
            : each,
        ),
      },
      'events of 2001-01-29 and of 2001-02-05 are the same bytes',
    ],
    [
      'many withdrawn days',
      {
        catalogue: catalogue.map((each) =>
          each.kind === 'events' && each.day >= '2001-02-08' ? { ...each, objects: [] } : each,
        ),
        used: catalogue.filter(({ day }) => day < '2001-02-08'),
      },
      '4 of 28 days of events were withdrawn, allowed: 10.0 %',
    ],
    [
      'labels that are not there',
      { training: { rows: { ...rows, rows: 9_000 }, batch: { ...batch, failures: [] } } },
      '90.0 % of the 10000 training events have a label, needed: 95.0 %',
    ],
    [
      'no training rows at all',
      {
        training: {
          rows: { joins: JOINS, events: 0, rows: 0, positives: 0, inputs: [] },
          batch: { ...batch, failures: [] },
        },
      },
      '0.0 % of the 0 training events have a label',
    ],
    [
      'an input that knows the label',
      {
        training: {
          rows: { ...rows, inputs: [{ column: 'arrival_delay', missing: 0, auc: 0.998 }] },
          batch: { ...batch, failures: [] },
        },
      },
      'arrival_delay alone tells the label with an AUC of 0.998, allowed: 0.9',
    ],
    [
      'an input whose figure is no number',
      {
        training: {
          rows: { ...rows, inputs: [{ column: 'x', missing: 0, auc: Number.NaN }] },
          batch: { ...batch, failures: [] },
        },
      },
      'x alone tells the label with an AUC of NaN',
    ],
  ])('fails for %s', (_, change, reason) => {
    const { verdict, reasons } = judgeData({ ...healthy, ...change }, rule);
    expect(verdict).toBe('FAIL');
    expect(reasons.join('; ')).toContain(reason);
  });

  it('names first what cannot be read at all, whichever day it is of', () => {
    const unreadable = { expectation: 'expect_partition_to_be_readable', about: '', found: 'label is BIGINT' };
    const failing = checked.map((each) => ({
      ...each,
      failures: each.day === '2001-02-01' ? [unreadable] : [failure],
    }));
    const { reasons } = judgeData({ ...healthy, checked: failing }, rule);
    expect(reasons.slice(0, 3)).toEqual([
      'events of 2001-02-01: expect_partition_to_be_readable(): label is BIGINT',
      'labels of 2001-02-01: expect_partition_to_be_readable(): label is BIGINT',
      expect.stringContaining('events of 2001-01-01: expect_column_values_to_be_between'),
    ]);
  });

  it('is not decided where no day has a past', () => {
    const young = { ...healthy, span: { from: '2001-01-01', to: '2001-01-14' } };
    const { verdict, reasons } = judgeData(young, rule);
    expect(verdict).toBe('INCONCLUSIVE');
    expect(reasons[0]).toContain('no day from 2001-01-01 to 2001-01-14 has a past');
  });

  it('takes days without any row for no delivery under two dates', () => {
    const closed = ['2001-01-28', '2001-02-04', '2001-02-11'];
    const isClosed = ({ kind, day }: { kind: string; day: string }): boolean =>
      kind === 'events' && closed.includes(day);
    const empty = digestOf('no rows');
    const changed = <T extends { kind: string; day: string }>(each: T) =>
      isClosed(each) ? { ...each, digest: empty } : each;
    const sundays = { ...healthy, catalogue: catalogue.map(changed), used: catalogue.map(changed) };
    const found = (rowCount: number) =>
      judgeData(
        { ...sundays, checked: checked.map((each) => (isClosed(each) ? { ...changed(each), rows: rowCount } : each)) },
        rule,
      );
    expect(found(0).reasons.join()).not.toContain('the same bytes');
    expect(found(1000).reasons.join()).toContain('2001-01-28 and of 2001-02-04 and of 2001-02-11 are the same bytes');
  });

  it('takes a few withdrawn days, which are empty by an act of somebody', () => {
    const withdrawn = catalogue.map((each) => (each.day === '2001-02-08' ? { ...each, objects: [] } : each));
    expect(
      judgeData({ ...healthy, catalogue: withdrawn, checked: checked.filter(({ day }) => day !== '2001-02-08') }, rule),
    ).toEqual({
      verdict: 'PASS',
      reasons: [],
    });
  });
});

describe('data that has arrived', () => {
  const arrived = { ...healthy, span: { from: '2001-02-11', to: '2001-02-11' }, training: null };

  it('passes without a past: a source has first weeks', () => {
    const first = { ...arrived, span: { from: '2001-01-02', to: '2001-01-02' } };
    expect(judgeData(first, rule).verdict).toBe('PASS');
  });

  it('is judged by its own days only', () => {
    expect(judgeData({ ...arrived, checked: off('2001-02-04', 10) }, rule).verdict).toBe('PASS');
    expect(judgeData({ ...arrived, checked: off('2001-02-11', 10) }, rule).verdict).toBe('FAIL');
  });
});
