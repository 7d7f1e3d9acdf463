import { expect, it } from 'vitest';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { ShadowReplay } from '#domain/canary/shadow-batches.ts';
import type { RequestEntry } from '#domain/prediction/request-log.ts';
import { readDocument } from '#ports/documents.ts';
import { replayPairs } from '#serving/replay-pairs.ts';
import { inputs, serving, TODAY } from '#test/serving/_endpoint.ts';
import { ReplayShadow, replayShadow } from '#use-cases/canary/replay-shadow.ts';
import { MODEL } from './_environments.ts';

const FROM = `${TODAY}T00:00:00.000Z`;

/** An endpoint that has answered some requests, and the shadow of a candidate that always answers 0.25 and takes 20 ms. */
async function shadowed() {
  const here = await serving();
  const candidate = await here.release('release 250');
  const store = memoryRequestStore();
  const documents = memoryArtifactStore();
  const clock = { now: 0, budget: 60_000 };
  const milliseconds = () => clock.now;
  const { artifacts, lake, scoring, features } = here.serving;
  const slow: typeof scoring = {
    async open(onnx, definition) {
      const found = await scoring.open(onnx, definition);
      if (found.kind === 'refused') return found;
      const takes = new TextDecoder().decode(onnx).includes('250') ? 20 : 5;
      const predict: typeof found.model.predict = async (rows) => {
        clock.now += takes;
        return found.model.predict(rows);
      };
      return { kind: 'loaded', model: { ...found.model, predict } };
    },
  };
  const deps = { artifacts, documents: here.prod.documents, lake, scoring: slow, features, milliseconds };
  const until = new Date(here.clock.at + 3_600_000).toISOString();
  return {
    ...here,
    budget: clock,
    store,
    async ask(ids: readonly string[], change: (entry: RequestEntry) => RequestEntry = (entry) => entry) {
      for (const id of ids) {
        here.clock.at += 1000;
        const { entry } = await here.infer(inputs([{ id }]));
        if (entry !== undefined)
          await store.add([change({ ...entry, request: { ...entry.request, request: here.clock.at.toString() } })]);
      }
    },
    async replay(asked: object = {}) {
      const task = replayShadow({
        documents,
        requests: store,
        replaying: {
          replayPairs: (given) => replayPairs({ ...deps, model: given.model, folder: given.folder }, given),
        },
        milliseconds,
        budgetMs: clock.budget,
      });
      const given = { model: MODEL, candidate, champion: here.first, candidateAggregates: null, from: FROM, until };
      const limits = { most: 5000, objectiveMs: 10, threshold: 0.2 };
      const said = ReplayShadow.output.parse(await task({ ...given, ...limits, ...asked }));
      if (said.status === 'no-events') return said;
      const { pairs, ...rest } = said;
      const { batches, ...about } = await readDocument(documents, ShadowReplay, pairs);
      return { ...rest, about, batches };
    },
    candidate,
    until,
  };
}

const ids = (count: number, prefix = 'e') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const NONE = {
  candidateErrors: 0,
  championErrors: 0,
  candidateActs: 0,
  championActs: 0,
  candidateSlow: 0,
  championSlow: 0,
};

it('writes what differs, in batches of a hundred, each event once', async () => {
  const here = await shadowed();
  await here.ask([...ids(120), ...ids(10)]);
  expect(await here.replay()).toEqual({
    status: 'replayed',
    count: 120,
    leftOut: 0,
    notReached: 0,
    bothFailed: 0,
    reason: '',
    about: {
      formatVersion: 1,
      model: MODEL,
      candidate: here.candidate,
      champion: here.first,
      from: FROM,
      until: here.until,
    },
    batches: [
      { ...NONE, pairs: 100, candidateActs: 100, candidateSlow: 100 },
      { ...NONE, pairs: 20, candidateActs: 20, candidateSlow: 20 },
    ],
  });
  expect(await here.replay({ objectiveMs: null, threshold: null })).toMatchObject({
    batches: [
      { ...NONE, pairs: 100 },
      { ...NONE, pairs: 20 },
    ],
  });
});

it('takes no more than it is asked for, of what the champion answered in the window', async () => {
  const here = await shadowed();
  await here.ask(ids(3), ({ request, raw }) => ({ request: { ...request, release: here.candidate }, raw }));
  await here.ask(ids(4, 'f'));
  expect(await here.replay({ most: 2 })).toMatchObject({ count: 2, leftOut: 0 });
  expect(await here.replay()).toMatchObject({ count: 4 });
  expect(await here.replay({ until: new Date(here.clock.at).toISOString() })).toMatchObject({ count: 3 });
  await expect(here.replay({ most: 5001 })).rejects.toThrow(/most/);
});

it('says that there are no events where none are kept, and how many are not', async () => {
  const here = await shadowed();
  expect(await here.replay()).toEqual({ status: 'no-events', leftOut: 0 });
  await here.ask(ids(2), ({ request }) => ({ request, raw: null }));
  expect(await here.replay()).toEqual({ status: 'no-events', leftOut: 2 });
  await here.ask(ids(1, 'f'));
  expect(await here.replay()).toMatchObject({ status: 'replayed', count: 1, leftOut: 2 });
});

it('begins no other request when its time is over', async () => {
  const here = await shadowed();
  await here.ask(ids(10));
  here.budget.budget = 60;
  // A pair takes 25 ms: the third begins within 60.
  expect(await here.replay()).toMatchObject({ status: 'replayed', count: 3, notReached: 7, batches: [{ pairs: 3 }] });
});

it('counts a candidate that does not load as one that fails everything, and says why', async () => {
  const here = await shadowed();
  await here.ask(ids(3));
  const broken = await here.release('broken');
  expect(await here.replay({ candidate: broken })).toMatchObject({
    count: 3,
    reason: expect.stringMatching(/^onnx-loads: no graph/),
    batches: [{ ...NONE, pairs: 3, candidateErrors: 3 }],
  });
  await expect(here.replay({ champion: broken })).resolves.toEqual({ status: 'no-events', leftOut: 0 });
});

it('counts what both fail apart, so that a champion that fails everything proves nothing', async () => {
  const here = await shadowed();
  await here.ask(ids(2));
  here.during.predict = () => Promise.reject(new Error('no probability'));
  expect(await here.replay()).toMatchObject({
    status: 'replayed',
    count: 0,
    bothFailed: 2,
    reason: 'no probability',
    batches: [],
  });
});
