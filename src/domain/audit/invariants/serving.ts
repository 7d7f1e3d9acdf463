import { detailsOf } from '../chain.ts';
import type { Invariant } from '../invariant.ts';

/** What was rolled back stays away. */
export const nothingQuarantined: Invariant = {
  id: 'nothing-quarantined',
  meaning: 'no quarantined digest is served, and every digest that was rolled back is quarantined',
  check({ pointer, quarantined }, records) {
    const served =
      pointer !== undefined && quarantined.includes(pointer.current)
        ? [`the pointer names ${pointer.version}, which is quarantined`]
        : [];
    const taken = records
      .filter(({ record }) => record.code === 'RELEASE_ROLLED_BACK')
      .map(({ record }) => ({ seq: record.seq, from: detailsOf(record, 'RELEASE_ROLLED_BACK').from }));
    const free = taken.filter(({ from }) => !quarantined.includes(from));
    return [
      ...served,
      ...free.map(({ from, seq }) => `${from} was rolled back (record ${seq}) and is not quarantined`),
    ];
  },
};

/** What is served, and what a rollback would serve, is there byte for byte. */
export const releasesWhole: Invariant = {
  id: 'releases-whole',
  meaning: 'every file of the served release, and of the one behind it, is stored and hashes to its name',
  check: ({ objects }) =>
    objects.filter((object) => object.of === 'release').map(({ name, found }) => `${name}: ${found}`),
};

/** What a model begins with can be served: whatever comes after it needs something to go back to. */
export const baselineServable: Invariant = {
  id: 'baseline-servable',
  meaning: 'a model that has registered a baseline has one with golden rows, by which other environments verify it',
  check({ model, baselines }) {
    if (baselines.some(({ problem }) => problem === undefined)) return [];
    return baselines.map(
      ({ version, problem }) =>
        `baseline ${version} can never be served: ${problem}; run \`gatehouse run start ${model}\`, which registers another`,
    );
  },
};

/** A reader of predictions gets whole partitions of the release that is served. */
export const predictionsWhole: Invariant = {
  id: 'predictions-whole',
  meaning:
    'every prediction partition is stored as its manifest says, and all are of the served release unless a run is at work',
  check({ objects, predictions, pointer, isReconciling, quarantined }) {
    const damaged = objects
      .filter((object) => object.of === 'prediction')
      .map(({ name, found }) => `${name}: ${found}`);
    if (isReconciling) return damaged;
    const others = predictions.filter((manifest) => manifest.release !== pointer?.current);
    const found = others.map(
      ({ day, release }) =>
        `${day} was made by ${release}${quarantined.includes(release) ? ', which is quarantined' : ''}, and no run is at work`,
    );
    const newer = predictions
      .filter(({ epoch }) => epoch > (pointer?.epoch ?? 0))
      .map(({ day, epoch }) => `${day} was published under epoch ${epoch}, the pointer has ${pointer?.epoch ?? 0}`);
    return [...damaged, ...found, ...newer];
  },
};
