import type { Invariant } from '../invariant.ts';

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
