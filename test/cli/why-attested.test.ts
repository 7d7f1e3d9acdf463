import { expect, it } from 'vitest';
import { run as why } from '#cli/commands/promotion/why.ts';
import { releaseReport } from '#cli/commands/release/show.ts';
import { attestationLines } from '#cli/commands/promotion/attestations-view.ts';
import { render } from '#cli/report.ts';
import type { Attestation, AttestedGate } from '#domain/attestation/attestation.ts';
import { attestationsKey } from '#domain/attestation/newest.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { Registration } from '#domain/release/registration.ts';
import { readDocument } from '#ports/documents.ts';
import { attests, CI, COMMIT, LOAD, PERSON, RULE, SCAN, TESTS } from '../domain/gates/_attestations.ts';
import { definition, MODEL, policy, SQL } from '../use-cases/_environments.ts';
import { makeRelease } from '../use-cases/_releases.ts';
import { fill, testContext } from './_context.ts';

const NOW = Date.parse('2026-03-02T12:00:00.000Z');
const VERSION = '1.0.0';
const prodGates = ['released-upstream', 'release-integrity', 'unit-tests', 'load', 'security-scan'] as const;

/** A context whose prod has never been asked for a release, and knows what is attested of it. */
async function unrequested(told: readonly Attestation[]) {
  const test = testContext({ release: `${MODEL}@${VERSION}`, to: 'prod' }, { models: [] });
  const online = { ...definition, online: { context: [], maxRows: 100, objectiveMs: 100 } };
  const release = await makeRelease(test.releasesOf('dev'), 'trained', 'trained', {
    definition: online as never,
    sql: SQL,
    onnx: new TextEncoder().encode('MODEL'),
  });
  const registration = Registration.parse({
    formatVersion: 1,
    model: MODEL,
    release,
    kind: 'trained',
    version: VERSION,
    reason: 'against 0.1.0: only the baseline is released',
    owner: 'owners',
    creator: 'pipeline:registration',
    createdBy: 'ann@example.com',
    commit: COMMIT,
    at: '2026-03-01T09:00:00.000Z',
    run: 'run-1',
    window: 'all',
    metrics: { logLoss: 0.31, accuracy: 0.9, f1: 0.6 },
    parent: null,
  });
  await fill(test.ledgerOf('dev'), [
    { ...keys.version(MODEL, VERSION), release },
    { ...keys.registration(MODEL, release), ...registration },
  ]);
  const at = new Date(NOW - 3_600_000).toISOString();
  const byPlace = Map.groupBy(told, ({ gate }) => gate);
  await fill(test.ledgerOf('prod'), [
    {
      ...keys.policy(MODEL),
      formatVersion: 1,
      policy: digestOf('policy'),
      activation: 1,
      rules: {
        ...policy,
        attestations: RULE,
        transitions: { ...policy.transitions, prod: { ...policy.transitions.prod, gates: [...prodGates] } },
      },
    },
    ...['dev', 'staging'].map((environment) => ({
      ...keys.upstream(MODEL, release, environment),
      environment,
      code: environment === 'dev' ? 'RELEASE_OFFERED' : 'RELEASE_PROMOTED',
      release,
      kind: 'trained',
      version: VERSION,
      asOf: '2026-03-01',
      commit: COMMIT,
      seq: 3,
      record: digestOf(environment),
      withdrawn: null,
    })),
    ...[...byPlace].map(([gate, newest]) => {
      const [first] = newest;
      const subject = first?.subject.kind === 'commit' ? first.subject : ({ kind: 'release', release } as const);
      return {
        ...attestationsKey(MODEL, gate, subject),
        formatVersion: 1,
        model: MODEL,
        gate,
        newest: newest.map((each) => ({ ...each, model: MODEL, subject, at })),
        count: newest.length,
      };
    }),
  ]);
  return { ...test, release, registration };
}

const GOOD = [attests('unit-tests', TESTS), attests('load', LOAD), attests('security-scan', SCAN)];

it('shows each gate of a release that nobody has requested, and what is attested of it', async () => {
  const here = await unrequested(GOOD);
  await why(here.context);
  const text = here.text();
  expect(text).toContain('into prod: never requested');
  expect(text).toMatch(/released-upstream +PASS/);
  expect(text).toMatch(/release-integrity +NOT JUDGED +a promotion judges it/);
  expect(text).toMatch(/unit-tests +PASS +12 tests passed/);
  expect(text).toMatch(/load +PASS +p99 90 ms of 100/);
  expect(text).toContain(CI.run);
  expect(text).toContain('1 h ago');
  expect(text).toContain(`request it: gatehouse promote ${MODEL}@${VERSION} --to prod`);
});

it('names what is missing, and the command that gives it', async () => {
  const here = await unrequested([attests('unit-tests', TESTS, { producer: PERSON, environment: 'control' })]);
  await why(here.context);
  const text = here.text('json');
  expect(text).toContain(`gatehouse attest unit-tests --commit ${COMMIT} --from FILE`);
  expect(text).toContain(`gatehouse attest load --release ${here.release.slice(0, 19)} --env staging`);
  expect(text).toContain('it is a claim: the policy names no person:lea for unit-tests');
  expect(here.text()).toContain('unit-tests, load, security-scan would refuse it');
});

it('shows with a release who made it of what, and the latency that staging measured', async () => {
  const here = await unrequested([]);
  const manifest = await readDocument(here.releasesOf('dev'), ReleaseManifest, here.release);
  const lines = attestationLines(
    GOOD.map((each): Attestation => ({ ...each, at: new Date(NOW - 60_000).toISOString() })),
    RULE,
    new Date(NOW),
  );
  const shown = { stage: 'Staging', attestations: lines, promotions: [] };
  const text = render(releaseReport(here.registration, manifest, shown, new Date(NOW)), 'table');
  expect(text).toContain('created by   ann@example.com');
  expect(text).toContain('accuracy 0.9000, f1 0.6000');
  expect(text).toContain('load         p99 90 ms, 40.0/s, 0 of 400 failed (in staging, 1 min ago)');
  const expired = attestationLines(
    [attests('security-scan', SCAN, { at: '2026-01-01T00:00:00.000Z' })],
    RULE,
    new Date(NOW),
  );
  expect(expired).toMatchObject([{ gate: 'security-scan' satisfies AttestedGate, counts: 'expired' }]);
});
