// What `data put` does while it waits, with a queue and a ledger that admission moves on.
import { GetQueueUrlCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { awaitAdmission } from '#cli/commands/data/put.ts';
import { partitionsReport } from '#cli/commands/data/list.ts';
import { readmit } from '#cli/landing.ts';
import { render } from '#cli/report.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { admitDays } from '../use-cases/_admitted.ts';
import { definition, MODEL } from '../use-cases/_environments.ts';
import { fill } from './_context.ts';

const since = new Date('2026-03-02T12:00:00.000Z');
const landed = (kind: 'events' | 'labels', day: string) => ({
  kind,
  day,
  files: [{ file: 'part.parquet', sha256: digestOf(`${kind} ${day}`) }],
});
const DAYS = ['2001-01-10', '2001-01-11', '2001-01-12'];
const PARTITIONS = DAYS.map((day) => landed('events', day));
const markerOf = (day: string): string => `toy/events/dt=${day}/_READY`;

/** The queue of admission: what is sent to it is kept, and done by whoever the test says. */
class Queue extends SQSClient {
  readonly sent: string[][] = [];
  refuses: string | undefined;
  onMarkers: (markers: readonly string[]) => Promise<void> = async () => {};

  override async send(command: unknown): Promise<never> {
    if (command instanceof GetQueueUrlCommand) return { QueueUrl: 'queue' } as never;
    if (!(command instanceof SendMessageBatchCommand)) throw new Error('a queue does no more than that');
    const { Entries = [] } = command.input;
    const markers = Entries.map(({ MessageBody = '' }) => (JSON.parse(MessageBody) as { key: string }).key);
    this.sent.push(markers);
    await this.onMarkers(markers);
    const failed = Entries.find(
      ({ MessageBody = '' }) => this.refuses !== undefined && MessageBody.includes(this.refuses),
    );
    return { Failed: failed === undefined ? [] : [{ Id: failed.Id, Message: 'too many' }] } as never;
  }
}

let ledger: ReturnType<typeof memoryLedger>;
let sqs: Queue;
beforeEach(() => {
  ledger = memoryLedger();
  sqs = new Queue({ region: 'us-east-1' });
});

/** Looks once and no more, unless something has moved. */
const wait = (left: readonly string[], read = ledger, partitions = PARTITIONS) =>
  awaitAdmission(
    { note: () => {} },
    { ledger: read, sqs, names: namesOf(config, 'dev'), environment: 'dev' },
    definition,
    partitions,
    { since, left: partitions.filter(({ day }) => left.includes(day)) },
    -1,
  );
const admit = (day: string | undefined): Promise<void> =>
  day === undefined ? Promise.resolve() : admitDays(ledger, day, day);

describe('data put', () => {
  it('asks admission again for what lay there as it is and is not admitted, and for nothing else', async () => {
    await admit(DAYS[0]);
    sqs.onMarkers = async (markers) => {
      for (const day of DAYS) if (markers.includes(markerOf(day))) await admit(day);
    };
    // The last day was written just now: its marker is news to admission.
    const missing = await wait(['2001-01-10', '2001-01-11']);
    expect(sqs.sent).toEqual([[markerOf('2001-01-11')]]);
    expect(missing).toEqual([{ name: 'events of 2001-01-12', refusal: undefined }]);
  });

  it('asks admission for nothing where all was written anew', async () => {
    await wait([]);
    expect(sqs.sent).toEqual([]);
  });

  it('goes on waiting as long as admission moves, and ends when it does not', async () => {
    const days = [...DAYS];
    let looks = 0;
    const moving = {
      ...ledger,
      async query(...asked: Parameters<typeof ledger.query>) {
        if (asked[0] === keys.partitions(MODEL, 'events') && (looks += 1) > 1) await admit(days.shift());
        return ledger.query(...asked);
      },
    };
    expect(await wait([], moving)).toEqual([]);
    expect(looks).toBe(1 + DAYS.length);
    looks = 0;
    const stuck = [...PARTITIONS, landed('events', '2001-01-13')];
    expect((await wait([], moving, stuck)).map(({ name }) => name)).toEqual(['events of 2001-01-13']);
    expect(looks).toBe(2);
  });

  it.each([
    ['11', 'waits on where a refusal is of the files before', []],
    ['13', 'ends where all that is left was refused since', ['events of 2001-01-11']],
  ])('at %s o’clock: %s', async (hour, _, names) => {
    const about = { model: MODEL, kind: 'events', day: '2001-01-11', since: `2026-03-02T${hour}:00:00.000Z` };
    const refusal = { ...about, rule: 'partition-files', found: 'f', remedy: 'r', resolvedAt: null };
    await fill(ledger, [{ ...keys.refusal(MODEL, 'events', '2001-01-11'), ...refusal }]);
    const days = DAYS.slice(0, 2);
    const moving = {
      ...ledger,
      async query(...asked: Parameters<typeof ledger.query>) {
        const found = await ledger.query(...asked);
        if (asked[0] === keys.partitions(MODEL, 'events')) await admit(days.shift());
        return found;
      },
    };
    const missing = await wait([], moving, PARTITIONS.slice(0, 2));
    expect(missing.map(({ name }) => name)).toEqual(names);
  });
});

describe('markers that are sent again', () => {
  it('go ten at once, and the one that the queue refuses is named', async () => {
    const markers = Array.from({ length: 23 }, (_, day) => markerOf(`2001-02-${day}`));
    const cloud = { sqs, names: namesOf(config, 'dev'), environment: 'dev' } as const;
    await readmit(cloud, markers);
    expect(sqs.sent.map(({ length }) => length)).toEqual([10, 10, 3]);
    expect(sqs.sent.flat()).toEqual(markers);
    sqs.refuses = markers[11];
    await expect(readmit(cloud, markers)).rejects.toThrow(`the admission queue refused ${markers[11]}: too many`);
  });
});

describe('data list', () => {
  it('names the days that wait for their marker, since when, and what to type', () => {
    const about = { model: MODEL, environment: 'prod', bucket: 'landing', now: since };
    const day = { kind: 'labels', day: '2001-01-11', why: 'no marker', files: 3 } as const;
    const waiting = [{ ...day, since: '2026-03-01T10:30:00.000Z', marker: 'toy/labels/dt=2001-01-11/_READY' }];
    const text = render(partitionsReport(about, [], waiting), 'table');
    expect(text).toMatch(/labels +2001-01-11 +no marker +3 +2026-03-01 10:30Z +25 h 30 min/);
    expect(text).toContain('aws s3api put-object --bucket landing --key toy/labels/dt=2001-01-11/_READY');
    expect(text).toContain('gatehouse data put toy --env prod --labels <files of dt=2001-01-11>');
    expect(render(partitionsReport(about, [], []), 'table')).not.toContain('marker');
  });
});
