// Releases of models that are online hold a golden request, and no other environment takes one that does not answer it as promised.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { GoldenRequest } from '#domain/release/golden-request.ts';
import { fileOf, GOLDEN_REQUEST, openManifest, RELEASE_FILES } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import { JOINS } from '#test/domain/data/_joins.ts';
import { online } from '#test/serving/_endpoint.ts';
import { verifyRelease } from '#use-cases/verification/verify-release.ts';
import { packageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { admitDays } from './_admitted.ts';
import { bytes, deployed, type Environment, MODEL, world } from './_environments.ts';
import { withGoldenRequest } from './_releases.ts';

const DAY = '2001-01-14';
const at = (hour: number): string => `${DAY}T0${hour}:30:00.000Z`;
const EVENTS = Array.from({ length: 7 }, (_, hour) => ({ id: `e${hour}`, who: 'ann', at: at(hour), price: hour / 8 }));
const content = JSON.stringify(EVENTS);

let dev: Environment;
beforeEach(async () => {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19', { content });
  dev.lake.sources.set(`toy/events/dt=${DAY}/part.parquet`, bytes(content));
});

/** What a run packages of a model, whose features and aggregates are built unless they are left out. */
async function packaged(definition: ModelDefinition, isBuilt: (kind: string) => boolean = () => true) {
  const models = deployed.models.map((model) => ({ ...model, definition }));
  const planning = { ...dev, deployed: { ...deployed, models } };
  const planned = await planWindows(planning)({ model: MODEL, run: 'run', asOf: '2001-01-20' });
  const [window] = (planned as { windows: { plan: Digest }[] }).windows;
  const plan = await readDocument(dev.documents, TrainingPlan, window?.plan ?? digestOf(''));
  const store = (kind: string, { day, digest }: { readonly day: string; readonly digest: Digest }): void => {
    const built = bytes(`${kind} ${day}`);
    if (isBuilt(kind))
      dev.lake.objects.set(`${MODEL}/${kind}/${digest}`, { content: built, sha256: digestOf(built), rows: 7 });
  };
  for (const each of plan.features) store('features', each);
  for (const each of plan.requests?.daily ?? []) store('daily', each);
  const training = {
    fetch: async () => false,
    storeRows: async () => undefined,
    readArtifact: async () => ({ kind: 'read' as const, files: new Map([['model.onnx', bytes('MODEL trained')]]) }),
  };
  const exported = { status: 'exported', rows: 100, positives: 20, joins: JOINS };
  const trained = { status: 'trained', artifact: 's3://b/model.tar.gz', seconds: 1 };
  const windows = [{ window: 'all', plan: window?.plan, export: exported, training: trained }];
  const result = (await packageCandidates({ ...dev, training })({ windows })) as {
    readonly candidates: readonly { readonly release: Digest }[];
    readonly baseline: { readonly release: Digest } | null;
    readonly reasons: readonly string[];
  };
  return { ...result, plan };
}

async function problemsOf(release: Digest | undefined): Promise<Record<string, string | null>> {
  const report = await verifyRelease(dev)({ model: MODEL, release, quarantined: [] });
  const { checks } = report as { checks: { check: string; problem: string | null }[] };
  return Object.fromEntries(checks.map(({ check, problem }) => [check, problem]));
}
const CHECK = 'golden request reproduces';

describe('a release of a model that is online', () => {
  it('holds a golden request with its context and aggregates, the baseline as well, and verifies', async () => {
    const { candidates, baseline, reasons } = await packaged(online);
    expect(reasons).toEqual([]);
    const releases = [candidates[0]?.release, baseline?.release];
    for (const release of releases) {
      const manifest = openManifest(await dev.releases.read(release ?? digestOf('')));
      expect(manifest.files.slice(RELEASE_FILES.length).map(({ path }) => path)).toEqual([
        GOLDEN_REQUEST,
        'golden-request/daily-2001-01-12.parquet',
        'golden-request/daily-2001-01-13.parquet',
      ]);
      expect(await problemsOf(release)).toMatchObject({ [CHECK]: null });
      const stored = await dev.releases.read(fileOf(manifest, GOLDEN_REQUEST).sha256);
      const golden = parseCanonical(GoldenRequest, stored, GOLDEN_REQUEST);
      expect(golden.day).toBe(DAY);
      expect(golden.events).toEqual([EVENTS[1], EVENTS[3], EVENTS[5]]);
      expect(golden.context).toEqual([EVENTS[0], EVENTS[2], EVENTS[4]]);
    }
    expect(dev.online.inUse()).toBe(0);
  });

  it('is refused without one, and with one that it does not answer as it promised', async () => {
    const { candidates } = await packaged(online);
    const release = candidates[0]?.release ?? digestOf('');
    expect(await problemsOf(await withGoldenRequest(dev.releases, release, undefined))).toMatchObject({
      [CHECK]: 'the model is online, and the release has no golden-request.json: train it again',
    });
    const manifest = openManifest(await dev.releases.read(release));
    const golden = await readDocument(dev.releases, GoldenRequest, fileOf(manifest, GOLDEN_REQUEST).sha256);
    const [first = 0, ...others] = golden.probabilities;
    const other = { ...golden, probabilities: [first + 2e-6, ...others] };
    const days = ['2001-01-12', '2001-01-13'];
    expect(await problemsOf(await withGoldenRequest(dev.releases, release, other, days))).toMatchObject({
      [CHECK]: expect.stringMatching(/^event 0 gives .*, promised/),
    });
    expect(await problemsOf(await withGoldenRequest(dev.releases, release, golden, days))).toMatchObject({
      [CHECK]: null,
    });
  });

  it('is none, with the reason, where what its golden request needs is gone', async () => {
    const { candidates, baseline, reasons } = await packaged(online, (kind) => kind !== 'daily');
    expect([candidates, baseline]).toEqual([[], null]);
    expect(reasons).toEqual([
      expect.stringMatching(/^baseline: toy\/daily\/.* is not there/),
      expect.stringMatching(/^all: toy\/daily\/.* is not there/),
    ]);
  });
});

it('a release of another model is what it was: no file more, no plan of requests, and refused with a golden request', async () => {
  const { online: _online, ...batch } = online;
  const { candidates, plan } = await packaged(batch);
  const release = candidates[0]?.release ?? digestOf('');
  expect(plan).not.toHaveProperty('requests');
  expect(openManifest(await dev.releases.read(release)).files.map(({ path }) => path)).toEqual(RELEASE_FILES);
  expect(await problemsOf(release)).not.toHaveProperty([CHECK]);
  const golden = { formatVersion: 1 as const, day: DAY, events: [{ id: 'a' }], context: [], probabilities: [0.5] };
  expect(await problemsOf(await withGoldenRequest(dev.releases, release, golden))).toMatchObject({
    [CHECK]: 'the release has golden-request.json, and its model is not online',
  });
});
