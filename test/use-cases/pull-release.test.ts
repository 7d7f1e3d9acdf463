import { expect, it } from 'vitest';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { pullRelease } from '#use-cases/promotion/pull-release.ts';
import { MODEL } from './_environments.ts';
import { makeRelease } from './_releases.ts';

it.each([
  ['that its manifest names', 'commit', 'pulled'],
  ['that its manifest does not name', 'f'.repeat(40), 'refused'],
])('a release for which dev has signed with a commit %s is %s', async (_what, signed, status) => {
  const [own, source, ledger] = [memoryArtifactStore(), memoryArtifactStore(), memoryLedger()];
  const release = await makeRelease(source, 'trained');
  const upstream = {
    environment: 'dev',
    code: 'RELEASE_OFFERED',
    release,
    kind: 'trained',
    version: '1.0.0',
    asOf: '2026-03-01',
    commit: signed,
    seq: 1,
    record: digestOf('record'),
    withdrawn: null,
  };
  await ledger.transact([{ kind: 'put', item: { ...keys.upstream(MODEL, release, 'dev'), ...upstream } }], 'upstream');
  const pull = pullRelease({ ledger, own, storeOf: () => source });
  expect(await pull({ release, model: MODEL, source: 'staging' })).toMatchObject({ status });
});
