import { describe, expect, it } from 'vitest';
import type { EventColumn } from '#domain/model/definition.ts';
import { sourceChange, sourcesOf } from '#domain/release/source-change.ts';
import { definition } from '#test/adapters/duckdb/_fixture.ts';

const of = (columns: Readonly<Record<string, EventColumn>>) => ({
  ...definition,
  events: { ...definition.events, columns: { ...definition.events.columns, ...columns } },
});
const later = (since: string, value: number | null = 0) => ({ type: 'DOUBLE', since, default: value }) as const;

describe('sourceChange', () => {
  const cases: readonly [string, Record<string, EventColumn>, Record<string, EventColumn>, string | undefined][] = [
    ['nothing', { fee: later('2026-11-01') }, { fee: later('2026-11-01') }, undefined],
    [
      'an added column with a default',
      {},
      { fee: later('2026-11-01') },
      'minor: events column fee was added since 2026-11-01',
    ],
    [
      'an added column without',
      {},
      { fee: 'DOUBLE' },
      'major: events column fee was added without since, and earlier days lack it',
    ],
    ['a removed column', { fee: 'DOUBLE' }, {}, 'major: events column fee was removed'],
    ['a removed later column', { fee: later('2026-11-01') }, {}, 'major: events column fee was removed'],
    ['another type', { fee: 'DOUBLE' }, { fee: 'BIGINT' }, 'major: events column fee is BIGINT, was DOUBLE'],
    [
      'another type of a later column',
      { fee: 'BIGINT' },
      { fee: later('2026-11-01') },
      'major: events column fee is DOUBLE, was BIGINT',
    ],
    [
      'an earlier first day',
      { fee: later('2026-11-01') },
      { fee: later('2026-10-31') },
      'major: events column fee is required since 2026-10-31, was since 2026-11-01',
    ],
    [
      'a later first day',
      { fee: later('2026-11-01') },
      { fee: later('2026-11-02') },
      'minor: events column fee is required since 2026-11-02, was since 2026-11-01',
    ],
    [
      'no first day any more',
      { fee: later('2026-11-01') },
      { fee: 'DOUBLE' },
      'major: events column fee is required on each day, was since 2026-11-01',
    ],
    [
      'a first day of a column that was always there',
      { fee: 'DOUBLE' },
      { fee: later('2026-11-01') },
      'minor: events column fee is required since 2026-11-01, was on each day',
    ],
    [
      'another default',
      { fee: later('2026-11-01') },
      { fee: later('2026-11-01', null) },
      'minor: events column fee has the default null, had 0',
    ],
    [
      'a breaking change beside others',
      { fee: later('2026-11-01'), tax: 'DOUBLE' },
      { fee: later('2026-11-02') },
      'major: events column tax was removed',
    ],
  ];
  it.each(cases)('finds %s', (_, before, after, expected) => {
    const found = sourceChange(of(before), of(after));
    expect(found && `${found.level}: ${found.reason}`).toBe(expected);
  });

  it('finds other roles of columns, and other columns of labels, which are there on each day', () => {
    const { events, labels } = definition;
    expect(sourceChange(definition, { labels, events: { ...events, entity: 'id' } })).toEqual({
      level: 'major',
      reason: 'events.entity is id, was card',
    });
    const more = { ...labels, columns: { ...labels.columns, kind: 'VARCHAR' } } as const;
    expect(sourceChange(definition, { events, labels: more })).toMatchObject({ level: 'major' });
    expect(sourceChange({ events, labels: more }, definition)).toMatchObject({ level: 'major' });
  });

  it('names some of many changes', () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`c${at}${'x'.repeat(500)}`, 'DOUBLE' as const]),
    );
    const reason = sourceChange(of({}), of(many))?.reason ?? '';
    expect(reason).toMatch(/; 295 more$/);
    expect(reason.length).toBeLessThan(1100);
  });
});

it('finds nothing where the digest of the sources is the same, and something where it is not', () => {
  const fee = of({ fee: later('2026-11-01') });
  const elsewhere = { ...fee, events: { ...fee.events, source: 'elsewhere' } };
  expect([sourceChange(fee, elsewhere), sourcesOf(elsewhere)]).toEqual([undefined, sourcesOf(fee)]);
  for (const other of [of({}), of({ fee: later('2026-11-02') }), of({ fee: later('2026-11-01', null) })]) {
    expect(sourceChange(fee, other)).toBeDefined();
    expect(sourcesOf(other)).not.toBe(sourcesOf(fee));
  }
});
