import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '#domain/data/partition.ts';
import { planWindows } from '#domain/data/windows.ts';

const definition = {
  windows: [
    { name: 'two-weeks', days: 14 },
    { name: 'two-months', days: 60 },
    { name: 'all', since: '2001-01-01' },
  ],
  evaluation: { selectionDays: 7, testDays: 14 },
  labels: {
    source: 'l',
    readyMarker: '_READY',
    join: 'id',
    value: 'bad',
    arrivedAt: 'seen',
    columns: {},
    matureAfterDays: 4,
  },
};

describe('planWindows', () => {
  it('pins test, selection and training so that no label is used before it arrived', () => {
    expect(planWindows(definition, '2001-04-01', { first: '2001-01-01', last: '2001-03-31' })).toEqual({
      kind: 'planned',
      asOf: '2001-04-01',
      windows: [
        {
          name: 'two-weeks',
          events: { first: '2001-02-17', last: '2001-03-02' },
          labels: { first: '2001-02-17', last: '2001-03-06' },
        },
        {
          name: 'two-months',
          events: { first: '2001-01-02', last: '2001-03-02' },
          labels: { first: '2001-01-02', last: '2001-03-06' },
        },
        {
          name: 'all',
          events: { first: '2001-01-01', last: '2001-03-02' },
          labels: { first: '2001-01-01', last: '2001-03-06' },
        },
      ],
      skipped: [],
      selection: {
        events: { first: '2001-03-07', last: '2001-03-13' },
        labels: { first: '2001-03-07', last: '2001-03-31' },
      },
      test: {
        events: { first: '2001-03-14', last: '2001-03-27' },
        labels: { first: '2001-03-14', last: '2001-03-31' },
      },
    });
  });

  it('leaves out a window that the history cannot fill, and says why', () => {
    const plan = planWindows(definition, '2001-03-15', { first: '2001-01-01', last: '2001-03-14' });
    expect(plan).toMatchObject({
      windows: [{ name: 'two-weeks' }, { name: 'all' }],
      skipped: [
        {
          name: 'two-months',
          refusal: { rule: 'window-fits-history', found: expect.stringContaining('it would begin on 2000-12-16') },
        },
      ],
    });
  });

  it.each([
    [
      'too short a history',
      'history-long-enough',
      '2001-01-20',
      '2001-01-01',
      '2001-01-19',
      /events begin on 2001-01-01, training would end on 2000-12-21/,
    ],
    [
      'events that end too early',
      'history-reaches-test',
      '2001-04-01',
      '2001-01-01',
      '2001-03-20',
      /events end on 2001-03-20, the test needs them until 2001-03-27/,
    ],
  ])('refuses %s', (_, rule, asOf, first, last, found) => {
    expect(planWindows(definition, asOf, { first, last })).toMatchObject({
      kind: 'refused',
      refusal: { rule, found: expect.stringMatching(found) },
    });
  });

  it('refuses when no window fits', () => {
    const only = { ...definition, windows: [{ name: 'long', days: 300 }] };
    expect(planWindows(only, '2001-04-01', { first: '2001-01-01', last: '2001-03-31' })).toMatchObject({
      kind: 'refused',
      refusal: { rule: 'some-window-fits-history', found: expect.stringContaining('long: it would begin on') },
    });
  });

  it('says the day from which on the history is long enough', () => {
    const history = { first: '2001-01-01', last: '2002-01-01' };
    const early = planWindows(definition, '2001-01-20', history);
    const remedy = early.kind === 'refused' ? early.refusal.remedy : '';
    const day = /as of (\S+)/.exec(remedy)?.[1] ?? '';
    expect(planWindows(definition, day, history).kind).toBe('planned');
    expect(planWindows(definition, addDays(day, -1), history).kind).toBe('refused');
  });

  it('never lets a training label arrive on or after the first day that chooses, nor overlap the test', () => {
    const evaluation = fc.record({
      selectionDays: fc.integer({ min: 1, max: 30 }),
      testDays: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(evaluation, fc.nat(30), fc.integer({ min: 0, max: 400 }), (evaluation, matureAfterDays, age) => {
        const asOf = addDays('2001-01-01', age);
        const plan = planWindows(
          { ...definition, evaluation, labels: { ...definition.labels, matureAfterDays } },
          asOf,
          {
            first: '2001-01-01',
            last: addDays(asOf, -1),
          },
        );
        if (plan.kind === 'refused') return;
        for (const window of plan.windows) {
          expect(window.events.first <= window.events.last).toBe(true);
          expect(addDays(window.events.last, matureAfterDays) < plan.selection.events.first).toBe(true);
          expect(window.labels.last < plan.selection.events.first).toBe(true);
        }
        expect(addDays(plan.selection.events.last, 1)).toBe(plan.test.events.first);
        expect(addDays(plan.test.events.last, matureAfterDays) < asOf).toBe(true);
        expect(plan.test.labels.last < asOf).toBe(true);
      }),
    );
  });
});
