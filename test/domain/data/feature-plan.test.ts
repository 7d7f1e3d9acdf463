import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { readingOf } from '#domain/data/data-check.ts';
import {
  type CataloguePartition,
  type FeatureDefinition,
  type FeaturePlan,
  partitionsBetween,
  featurePlanner,
} from '#domain/data/feature-plan.ts';
import { datasetFingerprint } from '#domain/data/merkle.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';

const definition: FeatureDefinition = {
  events: {
    source: 'e',
    readyMarker: '_READY',
    id: 'id',
    entity: 'who',
    time: 'at',
    columns: { id: 'VARCHAR', who: 'VARCHAR', at: 'TIMESTAMP' },
  },
  labels: {
    source: 'l',
    readyMarker: '_READY',
    join: 'id',
    value: 'bad',
    arrivedAt: 'seen',
    columns: { id: 'VARCHAR', bad: 'BOOLEAN', seen: 'TIMESTAMP' },
    matureAfterDays: 3,
  },
  features: {
    daily: { path: 'features/daily.sql', sha256: digestOf('daily') },
    features: { path: 'features/features.sql', sha256: digestOf('features') },
    columns: ['x'],
    aggregateDays: 5,
    eventDays: 2,
  },
};

function partition(kind: 'events' | 'labels', day: string, version = 1): CataloguePartition {
  return { kind, day, version, digest: digestOf(`${kind} ${day} ${String(version)}`), objects: [] };
}

/** Events from the first of March, labels from the third: what an outside producer's first twenty days look like. */
const catalogue = [
  ...daysBetween('2026-03-01', '2026-03-20').map((day) => partition('events', day)),
  ...daysBetween('2026-03-03', '2026-03-20').map((day) => partition('labels', day)),
];

function ready(day: string, parts: readonly CataloguePartition[] = catalogue, engine = 'duckdb 1'): FeaturePlan {
  const plan = featurePlanner(definition, engine, parts)(day);
  if (!plan.ready) throw new Error(JSON.stringify(plan.missing));
  return plan;
}

function missing(day: string, parts: readonly CataloguePartition[]): string[] {
  const plan = featurePlanner(definition, 'duckdb 1', parts)(day);
  return plan.ready ? [] : plan.missing.map((part) => `${part.kind} ${part.day}`);
}

describe('featurePlanner', () => {
  it('reads the trailing days, and no label that arrived on the day itself', () => {
    const plan = ready('2026-03-12');
    expect(plan.events.map((part) => part.day)).toEqual(['2026-03-10', '2026-03-11', '2026-03-12']);
    expect(plan.daily.map((daily) => daily.day)).toEqual(daysBetween('2026-03-07', '2026-03-11'));
    expect(plan.daily[0]).toMatchObject({ labels: { day: '2026-03-07' } });
    expect(plan.daily[0]?.events.map((part) => part.day)).toEqual(['2026-03-05', '2026-03-06', '2026-03-07']);
  });

  it('takes the days before the first partition for the beginning of history', () => {
    expect(ready('2026-03-01')).toMatchObject({ events: [{ day: '2026-03-01' }], daily: [] });
    const plan = ready('2026-03-04');
    expect(plan.daily.map((daily) => [daily.day, daily.labels?.day])).toEqual([
      ['2026-03-01', undefined],
      ['2026-03-02', undefined],
      ['2026-03-03', '2026-03-03'],
    ]);
  });

  it.each([
    ['the day itself', '2026-03-12', ['events 2026-03-12'], ['events 2026-03-12']],
    ['an event day of an aggregate', '2026-03-12', ['events 2026-03-05'], ['events 2026-03-05']],
    [
      'label and event days',
      '2026-03-12',
      ['labels 2026-03-11', 'events 2026-03-11'],
      ['events 2026-03-11', 'labels 2026-03-11'],
    ],
    ['labels of the day itself, which nobody needs', '2026-03-12', ['labels 2026-03-12'], []],
    ['a day that is too old to matter', '2026-03-12', ['events 2026-03-04', 'labels 2026-03-06'], []],
  ])('knows when it lacks %s', (_, day, without, expected) => {
    expect(
      missing(
        day,
        catalogue.filter((part) => !without.includes(`${part.kind} ${part.day}`)),
      ),
    ).toEqual(expected);
  });

  it('misses the labels of a source that has been silent for longer than the horizon', () => {
    const events = catalogue.filter((part) => part.kind === 'events');
    expect(missing('2026-03-04', events)).toEqual([]);
    expect(missing('2026-03-06', events)).toEqual(['labels 2026-03-04', 'labels 2026-03-05']);
    expect(missing('2026-02-01', events)).toEqual(['events 2026-02-01']);
    expect(missing('2026-03-01', [])).toEqual(['events 2026-03-01']);
  });

  it('changes the digest with engine, SQL and columns', () => {
    const digest = ready('2026-03-12').digest;
    expect(ready('2026-03-12', catalogue, 'duckdb 2').digest).not.toBe(digest);
    for (const features of [
      { daily: { path: 'd', sha256: digestOf('x') } },
      { features: { path: 'f', sha256: digestOf('x') } },
      { columns: ['y'] },
    ]) {
      expect(
        featurePlanner(
          { ...definition, features: { ...definition.features, ...features } },
          'duckdb 1',
          catalogue,
        )('2026-03-12'),
      ).not.toMatchObject({ digest });
    }
  });

  it('changes every digest, and how partitions are read, with the first day and the default of a later column', () => {
    const columns = [
      {},
      { fee: 'DOUBLE' },
      { fee: { type: 'DOUBLE', since: '2026-03-05', default: 0 } },
      { fee: { type: 'DOUBLE', since: '2026-03-05', default: null } },
      { fee: { type: 'DOUBLE', since: '2026-03-06', default: 0 } },
      { fee: { type: 'INTEGER', since: '2026-03-05', default: 0 } },
    ] as const;
    const digests = columns.map((more) => {
      const events = { ...definition.events, columns: { ...definition.events.columns, ...more } };
      const plan = featurePlanner({ ...definition, events }, 'duckdb 1', catalogue)('2026-03-12');
      if (!plan.ready) throw new Error(JSON.stringify(plan.missing));
      return [plan.digest, ...plan.daily.map(({ digest }) => digest), readingOf({ ...definition, events }, 'events')];
    });
    expect(new Set(digests.flat()).size).toBe(columns.length * 7);
    // What had no such column before there were any is named as it was.
    expect(digests[0]?.[0]).toBe(ready('2026-03-12').digest);
  });

  it('changes exactly the digests of the days that a correction reaches', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...catalogue),
        fc.constantFrom(...daysBetween('2026-03-01', '2026-03-20')),
        (part, day) => {
          const corrected = [partition(part.kind, part.day, 2), ...catalogue];
          const reach =
            part.kind === 'events'
              ? [part.day, addDays(part.day, 2 + 5)]
              : [addDays(part.day, 1), addDays(part.day, 5)];
          const reached = day >= (reach[0] ?? '') && day <= (reach[1] ?? '');
          expect(ready(day, corrected).digest !== ready(day).digest).toBe(reached);
        },
      ),
    );
  });

  it('does not depend on the order of the catalogue', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(catalogue, { minLength: catalogue.length }), (shuffled) => {
        expect(ready('2026-03-12', shuffled)).toEqual(ready('2026-03-12'));
      }),
    );
  });
});

describe('partitionsBetween', () => {
  it('finds the newest versions and the gaps', () => {
    const parts = [...catalogue.filter((part) => part.day !== '2026-03-06'), partition('labels', '2026-03-05', 2)];
    const found = partitionsBetween(parts, 'labels', { first: '2026-03-01', last: '2026-03-07' });
    expect(found.partitions.map((part) => [part.day, part.version])).toEqual([
      ['2026-03-03', 1],
      ['2026-03-04', 1],
      ['2026-03-05', 2],
      ['2026-03-07', 1],
    ]);
    expect(found.missing).toEqual([{ kind: 'labels', day: '2026-03-06' }]);
  });
});

describe('datasetFingerprint', () => {
  const leaf = fc.record({
    day: fc.constantFrom(...daysBetween('2026-03-01', '2026-04-30')),
    digest: fc.string().map(digestOf),
  });
  const dataset = fc.uniqueArray(leaf, { selector: (each) => each.day });

  it('does not depend on order, and changes with each leaf', () => {
    fc.assert(
      fc.property(dataset, fc.nat(), (parts, pick) => {
        expect(datasetFingerprint(parts.toReversed())).toBe(datasetFingerprint(parts));
        const chosen = parts[pick % Math.max(parts.length, 1)];
        if (chosen === undefined) return;
        const others = parts.filter((part) => part !== chosen);
        expect(datasetFingerprint(others)).not.toBe(datasetFingerprint(parts));
        expect(datasetFingerprint([...others, { ...chosen, digest: digestOf(`${chosen.digest}!`) }])).not.toBe(
          datasetFingerprint(parts),
        );
        expect(datasetFingerprint([...others, { ...chosen, day: '2027-01-01' }])).not.toBe(datasetFingerprint(parts));
      }),
    );
  });

  it('refuses a day that is there twice', () => {
    const part = { day: '2026-03-01', digest: digestOf('x') };
    expect(() => datasetFingerprint([part, part])).toThrow('2026-03-01 is in the dataset twice');
  });
});
