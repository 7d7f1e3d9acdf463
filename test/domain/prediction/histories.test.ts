import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { type CataloguePartition, featurePlanner } from '#domain/data/feature-plan.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { planPredictions, type PredictionState } from '#domain/prediction/desired.ts';
import { definition, command, World, playOut, settle } from './_histories.ts';

describe('whatever happened to data, releases and runs', () => {
  const history = fc.array(command, { minLength: 5, maxLength: 30 });

  it('the published table is what a run from scratch publishes, in five hundred histories', () => {
    let carried = 0;
    fc.assert(
      fc.property(history, (steps) => {
        const world = playOut(steps);
        settle(world);
        carried += world.carried;
        const scratch = new World();
        Object.assign(scratch, { served: world.served, scorer: world.scorer, epoch: world.epoch });
        for (const [key, { partition, rows }] of world.data) scratch.data.set(key, { partition, rows });
        settle(scratch);
        const expected = scratch.table();
        const published = world.table();
        for (const [day, rows] of expected) expect(published.get(day), day).toEqual(rows);
        // Days that are kept right no longer stay as they were, and are the served release's all the same.
        for (const [release] of published.values()) expect(release).toBe(world.release);
        expect(planPredictions(world.state).plan.kind).toBe('none');
      }),
      // Each run of the tests has others; what fails is printed with its seed.
      { numRuns: 500 },
    );
    expect(carried).toBeGreaterThan(500);
  });

  it('nothing that is right is ever scored again', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const world = playOut(steps);
        settle(world);
        const before = new Set(world.lake.keys());
        settle(world);
        expect(world.runs.at(-1)?.actions).toEqual([]);
        expect(new Set(world.lake.keys())).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a plan of a thousand partitions', () => {
  const thousand = (): PredictionState => {
    const days = daysBetween('2023-06-01', addDays('2023-06-01', 1027));
    const catalogue = days.flatMap((day) =>
      (['events', 'labels'] as const).map((kind): CataloguePartition => {
        const object = { bucket: 'landing', key: `${kind}/${day}`, versionId: '1', sha256: digestOf(day), size: 1000 };
        return { kind, day, version: 1, digest: digestOf(`${kind} ${day}`), objects: [object] };
      }),
    );
    const features = { ...definition.features, aggregateDays: 28, eventDays: 2 };
    return {
      ...new World().state,
      definition: { ...definition, features, predictions: { modes: ['batch'], days: 1000 } },
      catalogue,
    };
  };

  it('names each partition, and asks each shared aggregate once', () => {
    const state = thousand();
    const { plan, waiting } = planPredictions(state);
    expect({ kind: plan.kind, toScore: plan.toScore, waiting }).toEqual({ kind: 'full', toScore: 1000, waiting: [] });
    const featuresOf = featurePlanner(state.definition, 'engine', state.catalogue);
    const [first, second] = ['2025-01-10', '2025-01-11'].map(featuresOf);
    if (first?.ready !== true || second?.ready !== true) throw new Error('both days are ready');
    // Neighbouring days share the very plans of their common aggregates, instead of making them anew.
    expect(second.daily.filter((daily) => first.daily.includes(daily))).toHaveLength(27);
  });
});
