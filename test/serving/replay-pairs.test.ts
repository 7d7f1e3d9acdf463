import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { addDays } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { RequestEntry } from '#domain/prediction/request-log.ts';
import { replayPairs } from '#serving/replay-pairs.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { inputs, online, serving, TODAY, YESTERDAY } from './_endpoint.ts';

/** An endpoint whose champion has answered, and a way to answer its log by two releases. */
async function answering() {
  const here = await serving();
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-pairs-'));
  const clock = { now: 0 };
  type Asked = Parameters<typeof replayPairs>[1];
  const { artifacts, lake, scoring, features } = here.serving;
  const deps = { model: MODEL, artifacts, documents: here.prod.documents, lake, scoring, features, folder };
  const replayed = async (
    asked: Partial<Asked> & Pick<Asked, 'candidate'>,
    change: (entry: RequestEntry) => RequestEntry = (entry) => entry,
    around: Partial<typeof deps> = {},
  ) => {
    const store = memoryRequestStore();
    await store.add(here.log.entries.map(change));
    return replayPairs(
      { ...deps, ...around, milliseconds: () => clock.now },
      {
        model: MODEL,
        champion: here.first,
        candidateAggregates: null,
        requests: await store.read(MODEL, TODAY),
        folder,
        isOver: () => false,
        ...asked,
      },
    );
  };
  /** Answers so many requests, a second apart. */
  const ask = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      here.clock.at += 1000;
      await here.infer(inputs([{ id: `e${index}` }, { id: `f${index}` }]));
    }
  };
  return { ...here, deps, replayClock: clock, replayed, ask };
}

/** A definition whose daily aggregates are others than the champion's. */
const ANOTHER_BASIS: ModelDefinition = {
  ...online,
  features: { ...online.features, daily: { ...online.features.daily, sha256: digestOf('another daily SQL') } },
};

it('answers each request by both, in alternating order, with the time that each took', async () => {
  const here = await answering();
  await here.ask(3);
  const candidate = await here.release('release 250');
  const opened = here.features.inUse();
  const order: string[] = [];
  // A candidate that takes 5 ms, and a champion that takes 2.
  const scoring: typeof here.deps.scoring = {
    async open(onnx, definition) {
      const found = await here.deps.scoring.open(onnx, definition);
      if (found.kind === 'refused') return found;
      const isCandidate = new TextDecoder().decode(onnx).includes('250');
      return {
        kind: 'loaded',
        model: {
          ...found.model,
          predict: (rows) => {
            order.push(isCandidate ? 'candidate' : 'champion');
            here.replayClock.now += isCandidate ? 5 : 2;
            return found.model.predict(rows);
          },
        },
      };
    },
  };
  const models = here.models.open;
  const found = await here.replayed({ candidate }, undefined, { scoring });
  const pair = (startedAt: string | undefined) => ({
    startedAt,
    candidate: { probability: 0.25, milliseconds: 5 },
    champion: { probability: 0.1, milliseconds: 2 },
  });
  expect(found).toEqual({
    pairs: here.log.entries.map(({ request }) => pair(request.startedAt)),
    leftOut: 0,
    notReached: 0,
    whyFailed: undefined,
  });
  expect(order).toEqual(['champion', 'candidate', 'candidate', 'champion', 'champion', 'candidate']);
  expect([here.features.inUse(), here.models.open]).toEqual([opened, models]);
});

it('takes a candidate that does not load for one that fails everything, and a champion that does not for a fault', async () => {
  const here = await answering();
  await here.ask(2);
  const broken = await here.release('broken');
  const found = await here.replayed({ candidate: broken });
  expect(found.pairs).toMatchObject([
    { candidate: null, champion: { probability: 0.1 } },
    { candidate: null, champion: { probability: 0.1 } },
  ]);
  expect(found.whyFailed).toMatch(/^onnx-loads: no graph/);
  await expect(here.replayed({ candidate: here.first, champion: broken })).rejects.toMatchObject({
    code: 'CHAMPION_NOT_LOADED',
  });
  const batch = await here.release('no online', { ...online, online: undefined } as unknown as ModelDefinition);
  expect((await here.replayed({ candidate: batch })).whyFailed).toMatch(/without online/);
});

it('counts what throws while it answers as the errors of that release', async () => {
  const here = await answering();
  await here.ask(2);
  const candidate = await here.release('release 250');
  let answers = 0;
  // The candidate is the second to answer the first request.
  here.during.predict = async () => {
    answers += 1;
    if (answers === 2) throw new GatehouseError('NOT_SCORABLE', 'no probability');
  };
  const found = await here.replayed({ candidate });
  expect(found.whyFailed).toBe('no probability');
  expect(found.pairs).toMatchObject([
    { candidate: null, champion: { probability: 0.1 } },
    { candidate: { probability: 0.25 }, champion: { probability: 0.1 } },
  ]);
});

it('does not take a store that cannot be read for a fault of a release', async () => {
  const here = await answering();
  await here.ask(1);
  const candidate = await here.release('release 250');
  const unreachable = () => Promise.reject(new Error('unreachable'));
  await expect(here.replayed({ candidate }, undefined, { lake: { fetch: unreachable } })).rejects.toThrow(
    'unreachable',
  );
  const artifacts: typeof here.deps.artifacts = {
    read: (digest) => (digest === candidate ? unreachable() : here.deps.artifacts.read(digest)),
  };
  await expect(here.replayed({ candidate }, undefined, { artifacts })).rejects.toThrow('unreachable');
  await expect(here.replayed({ candidate: digestOf('never stored') })).rejects.toMatchObject({
    code: 'ARTIFACT_MISSING',
  });
  expect(here.features.inUse()).toBe(1);
});

it('leaves out requests whose raw events or aggregates are gone, and says how many', async () => {
  const here = await answering();
  await here.ask(3);
  const candidate = await here.release('release 250');
  const [first] = here.log.entries;
  const unkept = await here.replayed({ candidate }, (entry) => (entry === first ? { ...entry, raw: null } : entry));
  expect([unkept.pairs.length, unkept.leftOut]).toEqual([2, 1]);
  const otherList = ({ request, raw }: RequestEntry): RequestEntry => ({
    request: { ...request, aggregates: digestOf('a list that is gone') },
    raw,
  });
  const unlisted = await here.replayed({ candidate }, (entry) => (entry === first ? otherList(entry) : entry));
  expect([unlisted.pairs.length, unlisted.leftOut]).toEqual([2, 1]);
  const missing = new GatehouseError('ARTIFACT_MISSING', 'no aggregates');
  const gone = await here.replayed({ candidate }, undefined, { lake: { fetch: () => Promise.reject(missing) } });
  expect([gone.pairs.length, gone.leftOut]).toEqual([0, 3]);
});

it('stops where there is no time left, and says what was not reached', async () => {
  const here = await answering();
  await here.ask(3);
  const candidate = await here.release('release 250');
  let looks = 0;
  const isOver = () => (looks += 1) > 3;
  const found = await here.replayed({ candidate, isOver });
  expect([found.pairs.length, found.leftOut, found.notReached]).toEqual([2, 0, 1]);
});

it('shows a candidate of another basis its own aggregates, as far as those of the receipts go', async () => {
  const here = await answering();
  await here.ask(2);
  const candidate = await here.release('release 250', ANOTHER_BASIS);
  const counted = async (candidateAggregates: Awaited<ReturnType<typeof here.aggregates>> | null) => {
    const { pairs, leftOut } = await here.replayed({ candidate, candidateAggregates });
    return [pairs.filter((pair) => pair.candidate !== null).length, leftOut];
  };
  expect(await counted(null)).toEqual([0, 2]);
  // It reaches further than what the champion saw.
  const longer = await here.aggregates(addDays(TODAY, -4), TODAY, ANOTHER_BASIS);
  expect(await counted(longer)).toEqual([2, 0]);
  expect(here.features.opened.at(-1)?.days).toEqual([addDays(TODAY, -2), YESTERDAY]);
  expect(await counted(await here.aggregates(addDays(TODAY, -4), addDays(TODAY, -2), ANOTHER_BASIS))).toEqual([0, 2]);
  expect(await counted(await here.aggregates(YESTERDAY, YESTERDAY, ANOTHER_BASIS, addDays(TODAY, -9)))).toEqual([0, 2]);
  expect(await counted(digestOf('a list that is gone'))).toEqual([0, 2]);
  await expect(counted(here.list)).rejects.toThrow(/of another basis/);
});
