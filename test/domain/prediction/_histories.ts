import * as fc from 'fast-check';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { type CataloguePartition, type FeatureDefinition } from '#domain/data/feature-plan.ts';
import { predictionDigest } from '#domain/data/feature-work.ts';
import { addDays, daysBetween, type PartitionKind } from '#domain/data/partition.ts';
import { planPredictions, type PredictionState } from '#domain/prediction/desired.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { PartitionAction } from '#domain/prediction/reconciliation.ts';

/*
 * Any history of data, releases, crashes and late writers, by the product's planner and a world of plain values: a row of
 * features is a text, a prediction is a text that names the release and the features that it was made of. Whatever
 * happened, what is published is what a run from scratch would publish.
 */

const FIRST = '2026-03-01';

const DAYS = 6;

export const definition: FeatureDefinition & Pick<PredictionState['definition'], 'predictions'> = {
  events: { source: 'e', readyMarker: '_READY', id: 'id', entity: 'who', time: 'at', columns: { id: 'VARCHAR' } },
  labels: {
    source: 'l',
    readyMarker: '_READY',
    join: 'id',
    value: 'bad',
    arrivedAt: 'seen',
    columns: { id: 'VARCHAR' },
    matureAfterDays: 1,
  },
  features: {
    daily: { path: 'features/daily.sql', sha256: digestOf('daily') },
    features: { path: 'features/features.sql', sha256: digestOf('features') },
    columns: ['x'],
    aggregateDays: 2,
    eventDays: 0,
  },
  predictions: { modes: ['batch'], days: 4 },
};

type Rows = ReadonlyMap<number, string>;

/** A published or a built partition: its rows, and the release that made them. */
type Built = Rows;

/** What can happen. A run may lose some of its partitions, end before it publishes, or publish after later commands. */
export const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      of: fc.constantFrom<PartitionKind>('events', 'labels'),
      day: fc.nat(DAYS - 1),
      rows: fc.uniqueArray(fc.nat(4), { maxLength: 4 }),
      salt: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('withdraw' as const),
      of: fc.constantFrom<PartitionKind>('events', 'labels'),
      day: fc.nat(DAYS - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('promote' as const), release: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('roll back' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('new scorer' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('run' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('plan' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('score' as const), run: fc.nat(3), keep: fc.nat(15) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), run: fc.nat(3) }) },
);

type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

/** A batch run under way: what it planned, under which epoch and fence. */
interface Run {
  readonly release: Digest;
  readonly scorer: Digest;
  readonly epoch: number;
  readonly fence: number;
  readonly actions: readonly PartitionAction[];
}

export class World {
  readonly data = new Map<string, { partition: CataloguePartition; rows: Rows }>();
  readonly lake = new Map<string, Built>();
  readonly manifests = new Map<string, PredictionManifest>();
  readonly runs: Run[] = [];
  served: Digest[] = [digestOf('release 0')];
  scorer = digestOf('scorer 0');
  epoch = 1;
  fence = 0;
  carried = 0;

  get release(): Digest {
    return this.served.at(-1) ?? digestOf('release 0');
  }

  get state(): PredictionState {
    const catalogue = [...this.data.values()].map(({ partition }) => partition);
    const { release, scorer } = this;
    const manifests = [...this.manifests.values()];
    return { definition, release, schema: digestOf('schema'), engine: 'engine', scorer, catalogue, manifests };
  }

  admit(kind: PartitionKind, day: string, rows: Rows): void {
    const version = (this.data.get(`${kind} ${day}`)?.partition.version ?? 0) + 1;
    const text = JSON.stringify([...rows]);
    const object = {
      bucket: 'landing',
      key: `${kind}/${day}`,
      versionId: String(version),
      sha256: digestOf(text),
      size: 1,
    };
    const objects = rows.size === 0 ? [] : [object];
    const partition: CataloguePartition = { kind, day, version, digest: digestOf(`${kind} ${text}`), objects };
    this.data.set(`${kind} ${day}`, { partition, rows });
  }

  /** The features of a day as SQL would make them: each event with the labels of the two days before of rows of its kind. */
  features(day: string): Rows {
    const events = this.data.get(`events ${day}`)?.rows ?? new Map<number, string>();
    const trailing = daysBetween(addDays(day, -2), addDays(day, -1));
    return new Map(
      [...events].map(([id, value]) => {
        const seen = trailing.map((of) => this.data.get(`labels ${of}`)?.rows.get(id) ?? '-').join();
        return [id, `${value} after ${seen}`];
      }),
    );
  }

  plan(): void {
    this.fence += 1;
    const { plan } = planPredictions(this.state);
    const actions = plan.partitions.filter(({ action }) => action !== 'keep');
    // Features are built when the run is planned: their names say of which data.
    for (const { day, features } of actions) if (!this.lake.has(features)) this.lake.set(features, this.features(day));
    this.runs.push({ release: this.release, scorer: this.scorer, epoch: this.epoch, fence: this.fence, actions });
  }

  score({ release, scorer, actions }: Run, keep: (index: number) => boolean): void {
    for (const [index, { features, previous }] of actions.entries()) {
      const name = predictionDigest(features, release, scorer);
      if (!keep(index) || this.lake.has(name)) continue;
      const rows = this.lake.get(features) ?? new Map<number, string>();
      const before = previous === null ? undefined : this.lake.get(previous);
      const earlier = previous === null ? undefined : this.lake.get(predictionDigest(previous, release, scorer));
      const scored = [...rows].map(([id, row]): [number, string] => {
        const carried = before?.get(id) === row ? earlier?.get(id) : undefined;
        if (carried !== undefined) this.carried += 1;
        return [id, carried ?? `${release} of ${row}`];
      });
      this.lake.set(name, new Map(scored));
    }
  }

  publish({ release, scorer, epoch, fence, actions }: Run): void {
    if (epoch !== this.epoch || fence !== this.fence || release !== this.release) return;
    for (const { day, features } of actions) {
      const rows = this.lake.get(predictionDigest(features, release, scorer));
      if (rows === undefined) continue;
      const object = { bucket: 'lake', key: day, versionId: '1', sha256: digestOf(JSON.stringify([...rows])), size: 1 };
      const made = { features, release, scorer, schema: digestOf('schema'), object, rows: rows.size, lineage: null };
      const about = { formatVersion: 1 as const, model: 'm', day, run: String(fence), epoch };
      this.manifests.set(day, { ...about, ...made, publishedAt: '2026-03-09T00:00:00.000Z' });
    }
  }

  do(step: Command): void {
    const dayOf = (index: number): string => addDays(FIRST, index);
    switch (step.kind) {
      case 'data':
        this.admit(step.of, dayOf(step.day), new Map(step.rows.map((id) => [id, `${id}.${step.salt}`])));
        return;
      case 'withdraw':
        if (this.data.has(`${step.of} ${dayOf(step.day)}`)) this.admit(step.of, dayOf(step.day), new Map());
        return;
      case 'promote':
        if (this.release === digestOf(`release ${step.release}`)) return;
        this.served.push(digestOf(`release ${step.release}`));
        this.epoch += 1;
        return;
      case 'roll back':
        if (this.served.length < 2) return;
        this.served.pop();
        this.epoch += 1;
        return;
      case 'new scorer':
        this.scorer = digestOf(`scorer after ${this.scorer}`);
        return;
      case 'run':
        settle(this);
        return;
      case 'plan':
        this.plan();
        return;
      case 'score': {
        const run = this.runs.at(-1 - step.run);
        if (run !== undefined) this.score(run, (index) => ((step.keep >> (index % 4)) & 1) === 1);
        return;
      }
      case 'publish': {
        const run = this.runs.at(-1 - step.run);
        if (run !== undefined) this.publish(run);
        return;
      }
    }
  }

  /** What readers see: the rows of each day that a manifest names. */
  table(): Map<string, readonly [Digest, Built]> {
    return new Map(
      [...this.manifests.values()].map(({ day, features, release, scorer }) => {
        const rows = this.lake.get(predictionDigest(features, release, scorer));
        if (rows === undefined) throw new Error(`the manifest of ${day} names what was never scored`);
        return [day, [release, rows] as const];
      }),
    );
  }
}

export function playOut(history: readonly Command[]): World {
  const world = new World();
  for (const day of daysBetween(FIRST, addDays(FIRST, DAYS - 1))) {
    world.admit('events', day, new Map([0, 1, 2, 3].map((id) => [id, `${id}.0`])));
    world.admit('labels', day, new Map());
  }
  for (const step of history) {
    const newest = new Map([...world.manifests.values()].map(({ day, run }) => [day, Number(run)]));
    world.do(step);
    for (const [day, [release, rows]] of world.table()) {
      // A reader never sees a mixture: each row of a partition is of the release that its manifest names.
      for (const text of rows.values())
        if (!text.startsWith(release)) throw new Error(`${day}: a row of another release: ${text}`);
      // A run that was planned earlier never overwrites a later one's.
      if (Number(world.manifests.get(day)?.run) < (newest.get(day) ?? 0)) throw new Error(`${day}: a late writer won`);
    }
  }
  return world;
}

/** The last run, undisturbed. */
export function settle(world: World): void {
  world.plan();
  const run = world.runs.at(-1);
  if (run === undefined) throw new Error('no run');
  world.score(run, () => true);
  world.publish(run);
}
