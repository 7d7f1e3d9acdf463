import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { type CataloguePartition, featurePlanner } from '#domain/data/feature-plan.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { trainingInputs } from '#domain/data/training-inputs.ts';
import { definition } from '#test/use-cases/_environments.ts';

const part = (kind: CataloguePartition['kind'], day: string): CataloguePartition => ({
  kind,
  day,
  version: 1,
  digest: digestOf(`${kind} ${day}`),
  objects: [],
});
const history = daysBetween('2001-01-01', '2001-03-01');
const catalogue = history.flatMap((day) => [part('events', day), part('labels', day)]);

describe('the inputs of a training', () => {
  const { aggregateDays, eventDays } = definition.features;
  const days = ['2001-02-20', '2001-02-21'];
  const planOf = featurePlanner(definition, 'engine', catalogue);
  const inputs = trainingInputs('toy', days.map(planOf), [part('labels', '2001-02-25')]);
  const of = (kind: string): string[] => inputs.partitions.filter((each) => each.kind === kind).map(({ day }) => day);

  it('are what the features of its days read, as far back as their aggregates, and the labels, each once', () => {
    const first = addDays('2001-02-20', -aggregateDays);
    expect(of('labels')).toEqual([...daysBetween(first, '2001-02-20'), '2001-02-25']);
    expect(of('events')).toEqual(daysBetween(addDays(first, -eventDays), '2001-02-21'));
    expect(new Set(inputs.partitions.map(({ digest }) => digest)).size).toBe(inputs.partitions.length);
  });

  it('are all that it takes to plan the same features', () => {
    const known = new Set(inputs.partitions.map(({ digest }) => digest));
    const again = featurePlanner(
      definition,
      'engine',
      catalogue.filter(({ digest }) => known.has(digest)),
    );
    // The last day has a whole history behind it; where history begins, what came before it would be another beginning.
    for (const day of days) expect(again(day)).toMatchObject({ ready: true });
  });
});
