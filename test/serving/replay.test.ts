import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { addDays } from '#domain/data/partition.ts';
import type { RequestEntry } from '#domain/prediction/request-log.ts';
import { replayRequests } from '#serving/replay.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { inputs, serving, TODAY, YESTERDAY } from './_endpoint.ts';

/** An endpoint that has answered, and a way to answer its log again. */
async function answering() {
  const here = await serving();
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-replay-'));
  const replayed = async (change: (entry: RequestEntry) => RequestEntry = (entry) => entry) => {
    const store = memoryRequestStore();
    await store.add(here.log.entries.map(change));
    const { artifacts, lake, scoring, features } = here.serving;
    const deps = { model: MODEL, artifacts, documents: here.prod.documents, lake, scoring, features, folder };
    const found = await replayRequests(deps, await store.read(MODEL, TODAY));
    return found.map(({ outcome, request }) => [request.request, outcome]);
  };
  return { ...here, replayed };
}
const ask = (here: { readonly infer: Awaited<ReturnType<typeof answering>>['infer'] }) =>
  here.infer(inputs([{}, { id: 'e2', seat: null }], [{ id: 'c1' }]));

it('gives the same probabilities from the release and the aggregates of the receipts, whatever is served since', async () => {
  const here = await answering();
  await ask(here);
  const second = await here.release('release 200');
  await here.promote(second, '0.1.2');
  await here.aggregates(addDays(TODAY, -4), addDays(TODAY, -1));
  here.clock.at += 5_001;
  await ask(here);
  expect(here.log.entries.map(({ request }) => request.release)).toEqual([here.first, second]);
  const opened = here.features.inUse();
  expect(await here.replayed()).toEqual([
    ['call 1', { kind: 'computed', probabilities: [0.1, 0.1] }],
    ['call 1', { kind: 'computed', probabilities: [0.2, 0.2] }],
  ]);
  expect(here.features.inUse()).toBe(opened);
});

it('says of an answer whose raw events are not kept that it cannot be computed again', async () => {
  const here = await answering();
  await ask(here);
  expect(await here.replayed((entry) => ({ ...entry, raw: null }))).toEqual([['call 1', { kind: 'not-kept' }]]);
});

it('says what of a receipt does not answer: other events, other aggregates, a release that does not load', async () => {
  const here = await answering();
  await ask(here);
  const reason = async (change: (entry: RequestEntry) => RequestEntry): Promise<unknown> => {
    const [[, outcome] = []] = await here.replayed(change);
    return outcome;
  };
  const impossible = (text: RegExp) => ({ kind: 'impossible', reason: expect.stringMatching(text) });
  expect(
    await reason(({ request, raw }) => ({
      request,
      raw: raw && { ...raw, events: raw.events.map((event) => ({ ...event, price: 9 })) },
    })),
  ).toEqual(impossible(/is another text$/));
  expect(
    await reason(({ request, raw }) => ({ request: { ...request, aggregatesUntil: addDays(YESTERDAY, -1) }, raw })),
  ).toEqual(impossible(/aggregates end on 2026-03-01, its receipt says 2026-02-28/));
  const broken: Digest = await here.release('broken');
  expect(await reason(({ request, raw }) => ({ request: { ...request, release: broken }, raw }))).toEqual(
    impossible(/its release does not load: onnx-loads/),
  );
});
