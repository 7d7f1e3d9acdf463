import type { Environment } from '#domain/environment/environment.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { fill, testContext } from './_context.ts';

export const MODEL = 'flight-delay';

export const RUN = 'flight-delay-2001-04-02-manual-1a2b3c4d';

export const RELEASE = digestOf('0.1.1');

export let home: string;

/** Appends records to the chain of an environment. */
export async function record(
  test: ReturnType<typeof testContext>,
  environment: Environment,
  ...events: readonly AuditEvent[]
) {
  const clock = { now: () => new Date('2001-04-02T06:00:00.000Z') };
  for (const event of events) {
    const operation = `${event.code} ${JSON.stringify(event.details)}`.slice(0, 60);
    await recordChange(
      { ledger: test.ledgerOf(environment), environment, clock },
      { model: MODEL, operation, writes: [], event },
    );
  }
}

export const REASONS = ['it gains 0.2 %, and 0.5 % are needed', `slice origin=ORD is worse: ${'x'.repeat(300)} end`];

export const rejected: AuditEvent = {
  code: 'CANDIDATES_REJECTED',
  actor: 'pipeline:validation',
  release: null,
  details: { run: RUN, asOf: '2001-04-02', policy: digestOf('policy'), reasons: REASONS },
};

const registration = {
  ...keys.registration(MODEL, RELEASE),
  formatVersion: 1,
  model: MODEL,
  release: RELEASE,
  kind: 'trained',
  version: '0.1.1',
  reason: 'the same recipe on other data',
  owner: 'ops',
  creator: 'pipeline:registration',
  at: '2001-04-02T06:00:00.000Z',
  run: RUN,
  window: 'four-weeks',
  metrics: { logLoss: 0.412345 },
  parent: null,
};

/** A dev in which a run has registered a release. */
export async function withRelease(given: Readonly<Record<string, unknown>>, env?: string) {
  const test = testContext(given, env === undefined ? {} : { env });
  await fill(test.ledgerOf('dev'), [
    registration,
    { ...keys.version(MODEL, '0.1.1'), release: RELEASE },
    { ...keys.run(MODEL, RUN), run: RUN, machine: 'retraining', status: 'rejected' },
  ]);
  return test;
}

/** A folder of one’s own. */
export async function begin(): Promise<void> {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-refusals-'));
}

/** Removes what was made. */
export async function end(): Promise<void> {
  await rm(home, { recursive: true });
}
