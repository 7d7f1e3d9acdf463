import { expect, it } from 'vitest';
import { run as rollback } from '#cli/commands/rollback/rollback.ts';
import { readinessLines } from '#cli/commands/status/readiness.ts';
import { run as status } from '#cli/commands/status/status.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readPointer } from '#read-model/pointer.ts';
import { failed } from '#domain/rollback-readiness/conditions.ts';
import { afterRollback, MODEL } from './_after-rollback.ts';
import { fill } from './_context.ts';

/** A check of what a rollback in prod would go to, as its item has it. */
async function checked(given: Readonly<Record<string, unknown>>, overrides: Readonly<Record<string, unknown>>) {
  const test = await afterRollback({ model: MODEL, ...given }, 'prod');
  const ledger = test.ledgerOf('prod');
  const epoch = (await readPointer(ledger, MODEL))?.epoch ?? 0;
  const item = {
    formatVersion: 1,
    status: 'ready',
    run: 'drill',
    release: digestOf('0.1.0'),
    version: '0.1.0',
    epoch,
    startedAt: '2026-03-02T08:59:00.000Z',
    checkedAt: '2026-03-02T09:00:00.000Z',
    failed: [],
    ...overrides,
  };
  await fill(ledger, [{ ...keys.readiness(MODEL), ...JSON.parse(JSON.stringify(item)) }]);
  return test;
}

const RETENTION = failed('retention', 'model.onnx is not retained at all');

it.each([
  ['that it would work', {}, 'prod rollback ready: yes (to 0.1.0, checked 3 h ago)', 'ready'],
  [
    'which condition fails, and what to do',
    { status: 'not-ready', failed: [RETENTION] },
    `prod rollback ready: NO (to 0.1.0), checked 3 h ago\n  retention: ${RETENTION.found}; ${RETENTION.remedy}`,
    'not-ready',
  ],
  [
    'that the newest check is old',
    { checkedAt: '2026-03-01T09:59:00.000Z' },
    'prod rollback ready: NOT KNOWN, not checked since 2026-03-01 09:59Z: the newest check is older than 26 h',
    'not-checked',
  ],
  [
    'that the newest check is of something else',
    { release: digestOf('x') },
    'prod rollback ready: NOT KNOWN, not checked since 2026-03-02 09:00Z: the newest check is of another target',
    'not-checked',
  ],
  [
    'that the newest check met a fault',
    { status: 'unknown', epoch: null, release: null, version: null, failed: [failed('target', 'States.Timeout')] },
    'prod rollback ready: NOT KNOWN, not checked since 2026-03-02 09:00Z: States.Timeout',
    'not-checked',
  ],
])('status says %s', async (_, overrides, text, kind) => {
  const test = await checked({}, overrides);
  await status(test.context);
  expect(test.text()).toContain(text);
  expect(JSON.parse(test.text('json'))).toMatchObject({
    models: [{ environments: [{ environment: 'staging' }, { environment: 'prod', rollbackReadiness: { kind } }] }],
  });
});

it('status says where nobody ever looked', async () => {
  const test = await afterRollback({ model: MODEL }, 'prod');
  await status(test.context);
  expect(test.text()).toContain('prod rollback ready: NOT KNOWN, never checked: no check has ended yet');
});

it('says of a first release what it is, and nothing where nothing is served', () => {
  const now = new Date();
  expect(readinessLines('prod', { kind: 'first-release' }, now)).toEqual([
    'prod rollback ready: nothing to go back to, it is the first release here',
  ]);
  expect(readinessLines('prod', { kind: 'nothing-served' }, now)).toEqual([]);
});

it('rollback --dry-run says it as well, of the release that was checked', async () => {
  const test = await checked({ reason: 'wrong', dryRun: true }, {});
  await rollback(test.context);
  expect(test.text()).toContain('  prod rollback ready: yes (to 0.1.0, checked 3 h ago)');
  expect(JSON.parse(test.text('json'))).toMatchObject({ readiness: { kind: 'ready' } });
});
