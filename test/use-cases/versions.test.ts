// Versions of a series of tries, as dev gives them while prod serves what it serves.
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Registration, Released } from '#domain/release/registration.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { readRecords } from '#read-model/chain.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { hear } from './_scene.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { bytes, definition, type Environment, MODEL, publishRecords, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

let dev: Environment;
let prod: Environment;
let made: Map<string, Digest>;
beforeEach(() => {
  const all = world();
  [dev, prod] = [all.environment('dev'), all.environment('prod')];
  made = new Map();
});

/** Registers a release of these input columns; its version. */
async function register(data: string, columns: readonly string[] = ['x', 'y'], deps = dev): Promise<string> {
  const of = { ...definition, features: { ...definition.features, columns: [...columns] } };
  const contents = { definition: of, sql: SQL, onnx: bytes(`MODEL ${data}`) };
  const release = await makeRelease(dev.releases, data, 'trained', contents);
  const candidate = { release, window: 'all', fingerprint: digestOf(data), metrics: {} };
  const parameters = { model: MODEL, run: data, candidates: [candidate], baseline: null };
  const { candidates } = (await registerCandidates(deps)(parameters)) as { candidates: { version: string }[] };
  const version = candidates[0]?.version ?? '';
  made.set(version, release);
  return version;
}

const releaseOf = (version: string): Digest => made.get(version) ?? digestOf(version);
const serves = (version: string, pointerSeq: number): AuditEvent => ({
  code: 'RELEASE_PROMOTED',
  actor: 'pipeline:pointer',
  release: releaseOf(version),
  details: {
    promotion: `p-${pointerSeq}`,
    transition: 'prod',
    kind: 'trained',
    version,
    asOf: '2001-01-20',
    replaces: null,
    pointerSeq,
    epoch: pointerSeq,
    requestedBy: 'person:eng',
    approvedBy: [],
  },
});
const rollsBack = (from: string, to: string, pointerSeq: number): AuditEvent => ({
  code: 'RELEASE_ROLLED_BACK',
  actor: 'person:op',
  release: releaseOf(to),
  details: { rollback: 'r', version: to, from: releaseOf(from), reason: 'wrong', pointerSeq, epoch: pointerSeq },
});

/** Prod says it, and dev hears of it twice, as announcements come. */
async function hears(event: AuditEvent): Promise<void> {
  await prod.says(event);
  await publishRecords(prod, MODEL);
  for (let time = 0; time < 2; time += 1) await readPeer(dev, 'prod', MODEL, followPeer(dev));
}
const released = async (): Promise<Released | undefined> => {
  const item = await dev.ledger.get(keys.released(MODEL));
  return item === undefined ? undefined : withoutKey(Released, item);
};

describe('versions', () => {
  it('are computed against what prod serves: a rejected breaking change moves nobody else’s number', async () => {
    expect(await register('base')).toBe('0.1.0');
    await hears(serves('0.1.0', 1));
    expect(await register('trained')).toBe('1.0.0');
    await hears(serves('1.0.0', 2));
    expect(await register('breaking', ['x', 'y', 'z'])).toBe('2.0.0');
    // It was rejected. What follows keeps the inputs that prod reads.
    expect(await register('more data')).toBe('1.0.1');
    expect(await register('breaking otherwise', ['x', 'w'])).toBe('3.0.0');
    expect(await register('breaking as before', ['x', 'y', 'z'])).toBe('2.0.1');
    const items = await dev.ledger.query(keys.registrations(MODEL));
    const [own] = items.map((item) => withoutKey(Registration, item)).filter(({ version }) => version === '2.0.1');
    expect(own).toMatchObject({ parent: releaseOf('1.0.0'), reason: 'against 1.0.0: the input schema changed' });
  });

  it('follow prod when it serves another release, and back when it is rolled back', async () => {
    await register('base');
    await hears(serves('0.1.0', 1));
    await register('trained');
    await hears(serves('1.0.0', 2));
    await register('breaking', ['x', 'y', 'z']);
    await hears(serves('2.0.0', 3));
    expect(await released()).toMatchObject({ version: '2.0.0', seq: 3, environment: 'prod' });
    expect(await register('after it', ['x', 'y', 'z'])).toBe('2.0.1');
    expect(await register('without z')).toBe('3.0.0');
    await hears(rollsBack('2.0.0', '1.0.0', 4));
    expect(await register('without z, once more')).toBe('1.0.1');
    expect((await dev.codes()).filter((code) => code === 'RELEASED_VERSION_RECORDED')).toHaveLength(4);
  });

  it('are not computed against what prod served once, when its chain is read from the beginning again', async () => {
    for (const [seq, data] of ['base', 'second'].entries()) await hears(serves(await register(data), seq + 1));
    const records = await readRecords(prod.ledger, MODEL, -1);
    for (const { record } of records) await hear(dev, record);
    expect(await released()).toMatchObject({ version: '1.0.0', seq: 2 });
  });

  it('are given again when prod serves another release between their computation and their transaction', async () => {
    await register('base');
    await hears(serves('0.1.0', 1));
    await register('breaking', ['x', 'y', 'z']);
    const ledger: Environment['ledger'] = {
      ...dev.ledger,
      async query(...asked) {
        const found = await dev.ledger.query(...asked);
        if ((await released())?.seq === 1) await hears(serves('1.0.0', 2));
        return found;
      },
    };
    const late = { ...dev, ledger };
    await expect(register('more data', ['x', 'y'], late)).rejects.toMatchObject({ code: 'VERSION_TAKEN' });
    expect(await register('more data', ['x', 'y'], late)).toBe('2.0.0');
  });
});
