import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { type Environment, hours, MODEL, world } from './_environments.ts';
import { supervised } from './_supervised.ts';

const Failed = z.object({ function: z.string(), item: z.string(), error: z.string() });

let all: ReturnType<typeof world>;
let prod: Environment;
let own: ReturnType<typeof supervised>;
beforeEach(() => {
  all = world();
  prod = all.environment('prod');
  own = supervised(prod, []);
});

/** What people were told after two rounds. */
async function told(): Promise<readonly (readonly string[])[]> {
  for (let round = 0; round < 2; round += 1) {
    await own.round();
    all.clock.at += 5 * 60_000;
  }
  const found = (await prod.chain()).filter(({ code }) => code === 'ITEM_FAILED');
  return found.map(({ details }) => Failed.parse(details)).map(({ item, error }) => [item, error]);
}

describe('a supervisor', () => {
  it('says nothing where all is as it should be', async () => {
    expect(await told()).toEqual([]);
    expect(own.metrics.emitted).toContainEqual([
      { environment: 'prod' },
      { Supervised: 1, MissedSchedules: 0, DeadLetters: 0 },
    ]);
  });

  const INBOX = 'gatehouse-prod-inbox';
  it.each<readonly [string, (state: typeof own.resources.state) => void, readonly string[]]>([
    [
      'an execution past its deadline',
      ({ running }) => running.set('drift', [{ name: 'run-1', startedAt: new Date(all.clock.at - hours(9)) }]),
      ['executions of drift: run-1', 'EXECUTION_OVERDUE'],
    ],
    [
      'a dead-letter queue that is not empty',
      ({ queues }) => queues.push({ name: `${INBOX}-dead-letters`, messages: 3 }),
      [`queues: ${INBOX}-dead-letters`, 'DEAD_LETTERS'],
    ],
    [
      'an inbox that lags',
      ({ queues }) => queues.splice(0, 1, { name: INBOX, messages: 3 }),
      [`inbox ${INBOX}`, 'INBOX_LAGS'],
    ],
    [
      'an inbox that is not subscribed to a peer',
      ({ subscribers }) => subscribers.set('arn:staging', [{ endpoint: 'arn:other', isConfirmed: true }]),
      ['subscription to staging', 'SUBSCRIPTION_LOST'],
    ],
    [
      'alerts that nobody has confirmed to get',
      ({ subscribers }) => subscribers.set('arn:alerts', [{ endpoint: 'mail', isConfirmed: false }]),
      ['subscribers of arn:alerts', 'SUBSCRIPTION_LOST'],
    ],
    [
      'a request log that is not stored',
      ({ logSubscriptions }) => logSubscriptions.clear(),
      ['request log /aws/lambda/gatehouse-prod-endpoint-toy', 'SUBSCRIPTION_LOST'],
    ],
    [
      'an event source that is disabled',
      ({ eventSources }) => eventSources.set('gatehouse-prod-intake', [{ source: 'arn:inbox', state: 'Disabled' }]),
      ['event sources of gatehouse-prod-intake', 'EVENT_SOURCE_DISABLED'],
    ],
    [
      'an event source that is gone',
      ({ eventSources }) => eventSources.clear(),
      ['event sources of gatehouse-prod-intake', 'EVENT_SOURCE_DISABLED'],
    ],
    [
      'a signing key that is scheduled for deletion',
      ({ keys: states }) => states.set('alias/gatehouse-prod-signing', 'PendingDeletion'),
      ['key alias/gatehouse-prod-signing', 'KEY_UNUSABLE'],
    ],
  ])('says once of %s', async (_, breaks, expected) => {
    breaks(own.resources.state);
    expect(await told()).toEqual([expected]);
    expect(await told()).toEqual([expected]);
  });

  it('waits for people as long as the policy gives them', async () => {
    const startedAt = new Date(all.clock.at - hours(280));
    own.resources.state.running.set('promotion', [{ name: 'p-1', startedAt }]);
    expect(await told()).toEqual([]);
    all.clock.at += hours(40);
    expect(await told()).toEqual([['executions of promotion: p-1', 'EXECUTION_OVERDUE']]);
  });

  it('misses the topic of a peer only after it heard of it', async () => {
    own.resources.state.subscribers.delete('arn:staging');
    expect(await told()).toEqual([]);
    await prod.ledger.transact(
      [{ kind: 'put', item: { ...keys.peer('staging'), keyid: 'k', model: MODEL } }],
      'pinned',
    );
    expect(await told()).toEqual([['subscription to staging', 'SUBSCRIPTION_LOST']]);
  });

  it('says of what it cannot look at, and looks at the rest', async () => {
    own = supervised(prod, []);
    own.resources.queues = () => Promise.reject(new Error('throttled'));
    own.resources.state.keys.clear();
    expect(await told()).toEqual([
      ['queues', 'Error'],
      ['key alias/gatehouse-prod-signing', 'KEY_UNUSABLE'],
    ]);
    // Nobody knows what the queues hold: the alarm on it stays as it is.
    const round = own.metrics.emitted.findLast(([dimensions]) => !('model' in dimensions));
    expect(round?.[1]).toMatchObject({ Supervised: 1 });
    expect(round?.[1]).not.toHaveProperty('DeadLetters');
  });

  it('measures each model, and expects new days of its sources; a correction is none', async () => {
    await admitDay('2026-03-01', 1);
    await own.round();
    expect(own.metrics.emitted).toContainEqual([
      { environment: 'prod', model: MODEL },
      { OpenPromotions: 0, OpenIncidents: 0 },
    ]);
    expect(own.metrics.emitted).toContainEqual([
      { environment: 'prod', model: MODEL, kind: 'events' },
      { DataAgeHours: 0 },
    ]);
    all.clock.at += hours(49);
    await admitDay('2026-03-01', 2);
    expect(await told()).toEqual([[`data of ${MODEL}: events`, 'DATA_OVERDUE']]);
  });
});

/** Admits a version of a day's events. */
async function admitDay(day: string, version: number): Promise<void> {
  const partition = {
    formatVersion: 1,
    model: MODEL,
    kind: 'events',
    day,
    version,
    digest: digestOf(`${day} ${version}`),
    bucket: 'bucket',
    prefix: 'p/',
    files: [],
    admittedAt: new Date(all.clock.at).toISOString(),
  };
  await writeUnaudited(
    prod.ledger,
    [
      { kind: 'put', item: { ...keys.partition(MODEL, 'events', day), ...partition } },
      { kind: 'put', item: { ...keys.partitionVersion(MODEL, 'events', day, version), ...partition } },
    ],
    `${day} ${version}`,
  );
}
