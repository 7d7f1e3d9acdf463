import { beforeEach, expect, it } from 'vitest';
import { baselinesIn } from '#cli/commands/fsck/collect.ts';
import { checkInvariants } from '#domain/audit/invariants.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { championOf } from '#use-cases/validation/champion.ts';
import { soundState } from '../domain/audit/_state.ts';
import { type Environment, MODEL, publishRecords, world } from '../use-cases/_environments.ts';
import { makeRelease } from '../use-cases/_releases.ts';

let all: ReturnType<typeof world>;
let dev: Environment;
beforeEach(() => {
  all = world();
  dev = all.environment('dev');
});

/** A run that made a baseline of some data, and a candidate. */
async function run(name: string, data: string, rows?: readonly number[][]): Promise<Digest> {
  const release = await makeRelease(dev.releases, data, 'baseline', undefined, rows);
  const baseline = { release, baseRate: 0.2, window: 'all' };
  const trained = await makeRelease(dev.releases, `${data} ${name} trained`);
  const candidate = { release: trained, window: 'all', fingerprint: digestOf(name), metrics: {} };
  await registerCandidates(dev)({ model: MODEL, run: name, candidates: [candidate], baseline });
  all.clock.at += 86_400_000;
  return release;
}

/** What fsck says of the model's baselines. */
async function found(): Promise<readonly string[]> {
  const baselines = await baselinesIn(dev.ledger, dev.releases, MODEL);
  const results = checkInvariants({ ...soundState(), model: MODEL, baselines });
  return results.find(({ invariant }) => invariant === 'baseline-servable')?.found ?? ['was not checked'];
}

/** The baselines whose promotion staging has started, by what dev published. */
async function startedInStaging(): Promise<readonly unknown[]> {
  const staging = all.environment('staging');
  await publishRecords(dev, MODEL);
  await readPeer(staging, 'dev', MODEL, followPeer(staging));
  const requests = await staging.ledger.query(keys.promotionRequest(MODEL, '').pk);
  return requests.map(({ release }) => release);
}

it('a baseline without golden rows is named with what to do, and doing it goes on', async () => {
  // As earlier versions left it, where the newest day of training was empty.
  const stuck = await run('run-1', 'base#of an empty day', []);
  expect(await found()).toEqual([
    expect.stringMatching(
      /^baseline 0\.1\.0 can never be served: golden\.json is not valid: rows: .*; run `gatehouse run start toy`/,
    ),
  ]);
  // The same data: what is wrong with one is not said of the other.
  const other = await run('run-2', 'base#of a day with rows');
  expect(other).not.toBe(stuck);
  expect(await found()).toEqual([]);
  expect(await championOf(dev, 'prod', MODEL)).toBe(other);
  expect(new Set(await startedInStaging())).toEqual(new Set([stuck, other]));
});

it('no third baseline is made, whatever the digests are', async () => {
  for (const data of ['base#a', 'base#b', 'base#c']) await run(data, data, data === 'base#a' ? [] : undefined);
  await run('run-4', 'other data');
  const codes = (await dev.codes()).filter((code) => code !== 'RELEASE_REGISTERED');
  expect(codes).toEqual(['BASELINE_REGISTERED', 'BASELINE_REGISTERED']);
});

it('a baseline that is damaged in the store is named as well', async () => {
  const release = await run('run-1', 'base');
  expect(await baselinesIn(dev.ledger, dev.documents, MODEL)).toEqual([
    { version: '0.1.0', problem: expect.stringContaining(release) },
  ]);
});
