import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { StabilityPlan } from '#domain/drift/drift-work.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Registration } from '#domain/release/registration.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOST } from '#test/domain/data/_joins.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { attachReport } from '#use-cases/validation/attach-report.ts';
import { explainRelease } from '#use-cases/validation/explain-release.ts';
import { planReports } from '#use-cases/validation/plan-reports.ts';
import { writeReport } from '#use-cases/validation/write-report.ts';
import { admitDays } from './_admitted.ts';
import { bytes, type Environment, MODEL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

let dev: Environment;
let candidates: Digest[];
const champion = digestOf('champion');
const features = digestOf('features of the test day');
const run = { model: MODEL, run: 'toy-run-1', asOf: '2001-03-20' };

beforeEach(async () => {
  dev = world().environment('dev');
  candidates = [await makeRelease(dev.releases, 'one'), await makeRelease(dev.releases, 'two')];
  const of = (release: Digest, index: number) => ({
    release,
    window: 'all',
    fingerprint: digestOf('d'),
    metrics: {},
    joins: index === 0 ? LOST : null,
  });
  await registerCandidates(dev)({ model: MODEL, run: run.run, candidates: candidates.map(of), baseline: null });
});

const write = async (value: unknown): Promise<Digest> =>
  (await dev.documents.write(bytes(canonicalJson(value)))).digest;

interface Report {
  plan: Digest;
  release: Digest;
  stability: { plan: Digest; day: string };
}

/** Plans the reports of both candidates; the second one gains more on the selection days and was chosen. */
async function plan(): Promise<{ reports: Report[] }> {
  const comparisons = [];
  const measured = [];
  for (const [index, candidate] of candidates.entries()) {
    for (const slice of ['selection', 'test'] as const) {
      const comparison = await write({
        formatVersion: 1,
        model: MODEL,
        definition: digestOf('definition'),
        champion,
        candidate,
        labels: [],
        features: [features],
        championPredictions: [],
        candidatePredictions: [],
      });
      comparisons.push({ candidate, slice, comparison });
      measured.push({ candidate, slice, measure: await write(fortnight(0.02 + 0.01 * index)) });
    }
  }
  const gates = { verdict: 'PASS', release: candidates[1], reasons: ['it is better'] };
  return planReports(dev)({ ...run, champion, comparisons, measured, gates }) as Promise<{ reports: Report[] }>;
}

/** Stores the features that a candidate is explained on. */
async function build(text: string): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, 'features.parquet');
    await writeFile(path, text);
    await dev.lake.store('features', MODEL, features, { path, sha256: digestOf(text), rows: 1 });
  });
}

/** What the three states do for one candidate. */
async function report(index: number, stability: object = { measure: null, reason: 'nothing was measured' }) {
  const { reports } = await plan();
  const input = reports[index];
  if (input === undefined) throw new Error('nothing was planned');
  const explained = (await explainRelease(dev)(input)) as { status: string; explanation: Digest };
  const written = (await writeReport({ ...dev, draw: async ({ version }) => `a page about ${version}` })({
    ...input,
    explanation: explained.explanation,
    stability,
  })) as { html: Digest; json: Digest };
  return { explained, written, input };
}

async function jsonOf(digest: Digest): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await dev.releases.read(digest)));
}

describe('the reports of a run', () => {
  it('are objects by digest that show all candidates, from the measured documents', async () => {
    await build('features');
    const { explained, written } = await report(0);
    expect(explained.status).toBe('explained');
    expect(new TextDecoder().decode(await dev.releases.read(written.html))).toBe('a page about 0.1.0');
    expect(await jsonOf(written.json)).toMatchObject({
      release: candidates[0],
      trained: { joins: LOST },
      champion: { release: champion, version: null },
      conclusion: { verdict: 'PASS', isChosen: false },
      candidates: [
        { version: '0.1.0', isChosen: false, test: { judgement: { figures: { point: expect.closeTo(0.02, 6) } } } },
        { version: '1.0.0', isChosen: true, test: { judgement: { figures: { point: expect.closeTo(0.03, 6) } } } },
      ],
      explanation: { importances: { features: [{ name: 'x', change: 0.5 }, { name: 'y' }] } },
    });
    expect((await report(0)).written).toEqual(written);
  });

  it('compare the inputs of the test days with those of the last weeks of the training window', async () => {
    await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
    await build('features');
    const { reports } = await plan();
    const [own] = reports;
    if (own === undefined) throw new Error('nothing was planned');
    const stability = parseCanonical(StabilityPlan, await dev.documents.read(own.stability.plan), 'stability plan');
    // The window of the release is 2001-01-10 to 2001-01-14.
    expect(new Set(stability.reference).size).toBe(5);
    expect(stability.current).toEqual([features]);
    const input = { input: 'x', index: 0.3, bins: [], missing: { reference: 0, current: 0 } };
    const measure = await write({ formatVersion: 1, rows: { reference: 50, current: 10 }, inputs: [input] });
    const { written } = await report(0, { measure, reason: 'features of the test days' });
    expect(await jsonOf(written.json)).toMatchObject({ drift: { status: 'measured', measure, inputs: [input] } });
    expect(await jsonOf((await report(0)).written.json)).toMatchObject({ drift: { reason: 'nothing was measured' } });
  });

  it('say why nothing can be said of features', async () => {
    await build('NaN');
    const { explained, written } = await report(1);
    expect(explained.status).toBe('unexplained');
    expect(await jsonOf(written.json)).toMatchObject({
      explanation: { reason: 'predictions-are-probabilities: a NaN' },
      trained: { joins: null },
    });
  });

  it('are none where nothing was measured', async () => {
    const gates = { verdict: 'INCONCLUSIVE', reasons: ['features were refused'] };
    const found = await planReports(dev)({ ...run, champion, comparisons: [], measured: [], gates });
    expect(found).toEqual({ status: 'nothing', reports: [] });
  });

  it('are a fault of what is not registered, or was measured in part', async () => {
    const gates = { verdict: 'INCONCLUSIVE', reasons: ['too few days'] };
    const planOf = (candidate: Digest | undefined) =>
      planReports(dev)({
        ...run,
        champion,
        comparisons: [],
        measured: [{ candidate, slice: 'test', measure: digestOf('m') }],
        gates,
      });
    await expect(planOf(champion)).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
    await expect(planOf(candidates[0])).rejects.toMatchObject({ code: 'BAD_DOCUMENT' });
  });
});

describe('attaching a report', () => {
  const [html, json] = [digestOf('html'), digestOf('json')];
  const registered = async (): Promise<Registration> => {
    const item = await dev.ledger.get(keys.registration(MODEL, candidates[0] ?? champion));
    if (item === undefined) throw new Error('it is not registered');
    return withoutKey(Registration, item);
  };

  it('names it in the registration, once per run, together with its record', async () => {
    const before = await registered();
    const input = { ...run, release: candidates[0], html, json };
    expect(await attachReport(dev)(input)).toEqual({ status: 'attached', result: 'recorded' });
    expect(await attachReport(dev)(input)).toEqual({ status: 'attached', result: 'already-recorded' });
    expect(await registered()).toEqual({ ...before, report: { html, json } });
    expect((await dev.chain()).at(-1)).toMatchObject({
      code: 'RELEASE_REPORTED',
      release: candidates[0],
      details: { version: '0.1.0', run: run.run, html, json },
    });
  });

  it('gives a release that another run meets again a newer one', async () => {
    await attachReport(dev)({ ...run, release: candidates[0], html, json });
    await attachReport(dev)({ ...run, run: 'toy-run-2', release: candidates[0], html: json, json: html });
    expect((await registered()).report).toEqual({ html: json, json: html });
    expect((await dev.codes()).filter((code) => code === 'RELEASE_REPORTED')).toHaveLength(2);
  });

  it('is a fault for what is not registered', async () => {
    const input = { ...run, release: champion, html, json };
    await expect(attachReport(dev)(input)).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
  });

  it('is a fault where the registration is gone when it is written', async () => {
    const failed = [keys.registration(MODEL, champion)];
    const ledger: Environment['ledger'] = {
      ...dev.ledger,
      transact: async () => ({ kind: 'condition-failed', failed }),
    };
    const input = { ...run, release: candidates[0], html, json };
    await expect(attachReport({ ...dev, ledger })(input)).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
    expect(await registered()).not.toHaveProperty('report');
  });
});
