// Features on request are those of batch, bit for bit: each request alone, at midnight, at the same moment as others, and many at once.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import type { ReleaseManifest } from '#domain/release/manifest.ts';
import { answerGoldenRequest, makeGoldenRequest } from '#read-model/golden-request.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import type { OnlineFeatures, ReadEvent } from '#ports/online-features.ts';
import { cardDay, flightDay, type ModelDay } from './_online.ts';

describe.each([
  ['flight-delay', flightDay, true],
  ['card-fraud', cardDay, false],
] as const)('%s', (_, prepare, needsContext) => {
  let model: ModelDay;
  let online: OnlineFeatures;
  beforeAll(async () => {
    model = await prepare();
    online = await onlineFeatures.open(model);
    return () => online.close();
  });

  /** The ids of events whose features are not those of batch. */
  async function different(events: readonly ReadEvent[], isBrought = true): Promise<unknown[]> {
    const context = isBrought ? [...new Set(events.flatMap((event) => model.contextOf(event)))] : [];
    const made = await online.featuresOf({ events: events.map(({ row }) => row), context });
    if (made.kind === 'refused') throw new Error(JSON.stringify(made.refusal));
    expect(made.rows.length).toBe(events.length);
    return events.flatMap(({ row }, index) => {
      const id = String(row[model.definition.events.id]);
      const [ours = [], theirs = []] = [made.rows[index], model.batch.get(id)];
      expect(theirs.length).toBe(model.definition.features.columns.length);
      return ours.length === theirs.length && ours.every((value, at) => Object.is(value, theirs[at])) ? [] : [id];
    });
  }

  /** So many events, evenly over the day. */
  const spread = (count: number): ReadEvent[] =>
    model.own.filter((__, index) => index % Math.floor(model.own.length / count) === 0).slice(0, count);

  it('has the features of batch for each of 150 events by itself', async () => {
    const wrong: unknown[] = [];
    for (const event of spread(150)) wrong.push(...(await different([event])));
    expect(wrong).toEqual([]);
  });

  it('has them for the first and the last events of the day, and for those of the same moment', async () => {
    const inTime = model.own.toSorted((a, b) => Number(a.at - b.at));
    const groups = [...Map.groupBy(inTime, ({ at }) => at).values()];
    const ties = groups.filter(({ length }) => length > 1).slice(0, 5);
    if (needsContext) expect(ties.length).toBe(5);
    for (const event of [...inTime.slice(0, 15), ...inTime.slice(-15), ...ties.flat()])
      expect(await different([event])).toEqual([]);
    for (const tie of ties) expect(await different(tie)).toEqual([]);
  });

  it('has them for many events of one request, in the order of the request', async () => {
    const many = spread(90);
    expect(await different(many)).toEqual([]);
    expect(await different(many.toReversed())).toEqual([]);
    expect(await different(model.own.slice(200, 300))).toEqual([]);
  });

  it(needsContext ? 'has others without the context' : 'needs no context', async () => {
    const wrong: unknown[] = [];
    for (const event of spread(60)) wrong.push(...(await different([event], false)));
    if (needsContext) expect(wrong.length).toBeGreaterThan(30);
    else expect(wrong).toEqual([]);
  });

  it('answers a golden request from the files of a release, bit for bit, and says where another model does not', async () => {
    const store = memoryArtifactStore();
    const sum = (scale: number) => ({
      predict: async (rows: readonly (readonly (number | null)[])[]) =>
        rows.map((row) => 1 / (1 + Math.abs(scale * row.reduce<number>((all, each) => all + (each ?? 0), 0)))),
    });
    const release = { ...model, online: onlineFeatures, model: sum(1) };
    const made = await makeGoldenRequest(release, model.day, model.read, model.daily);
    if (made.kind === 'refused') throw new Error(JSON.stringify(made.refusal));
    const files = [];
    for (const { path, content } of made.files)
      files.push({ path, sha256: (await store.write(content)).digest, size: content.length });
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-golden-'));
    const manifest = { files } as unknown as ReleaseManifest;
    const answer = await answerGoldenRequest(release, store, manifest, folder);
    expect(answer).toMatchObject({ kind: 'answered', until: model.daily.at(-1)?.day, difference: undefined });
    expect(made.files).toHaveLength(1 + model.daily.length);
    const { events = [] } = answer?.kind === 'answered' ? answer : {};
    expect(events).toHaveLength(3);
    const { id } = model.definition.events;
    const own = model.own.filter(({ row }) => events.some((event) => String(event[id]) === String(row[id])));
    expect(await different(own)).toEqual([]);
    const other = await answerGoldenRequest({ ...release, model: sum(2) }, store, manifest, folder);
    expect(other).toMatchObject({ difference: expect.stringMatching(/^event 0 gives/) });
  });

  it('has them after the same aggregates were loaded again, and for requests that come at once', async () => {
    const loading = online.load(model.daily);
    const asked = spread(12).map((event) => different([event]));
    expect((await Promise.all([loading, ...asked])).flat()).toEqual([undefined]);
    expect(online.until).toBe(model.daily.at(-1)?.day);
  });
});
