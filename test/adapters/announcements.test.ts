import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateTopicCommand, ListSubscriptionsByTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { memoryAnnouncements } from '#adapters/memory/announcements.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { snsAnnouncements } from '#adapters/aws/announcements.ts';
import { sqsInbox } from '#adapters/aws/inbox.ts';
import { s3PeerRecords, s3PublishedRecords } from '#adapters/aws/published-records.ts';
import { kmsSigner } from '#adapters/aws/signer.ts';
import { memoryPublishedRecords } from '#adapters/memory/published-records.ts';
import { memorySigner } from '#adapters/memory/signer.ts';
import { AuditRecord, EMPTY_CHAIN, nextRecord } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import {
  type Envelope,
  keyIdOf,
  openEnvelope,
  PAYLOAD_TYPES,
  preAuthenticationEncoding,
} from '#domain/signature/dsse.ts';
import type { PeerRecords, PublishedRecords } from '#ports/published-records.ts';
import type { Signer } from '#ports/signer.ts';
import { clients, eventually, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

const ACCOUNT = '222222222222';
const REGION = 'us-east-1';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

function envelope(text: string, sig = 'c2ln'): Envelope {
  return {
    payloadType: PAYLOAD_TYPES.auditRecord,
    payload: Buffer.from(text).toString('base64'),
    signatures: [{ keyid: 'k', sig }],
  };
}

interface Fixture {
  readonly published: PublishedRecords;
  readonly peers: PeerRecords;
}

describe.each([
  [
    'in memory',
    async (): Promise<Fixture> => {
      const memory = memoryPublishedRecords();
      return { published: memory.of('staging'), peers: memory.peers };
    },
  ],
  [
    'in S3',
    async (): Promise<Fixture> => {
      const s3 = clients(cloud, ACCOUNT).s3();
      await s3.send(new CreateBucketCommand({ Bucket: 'published-staging' }));
      return {
        published: s3PublishedRecords(s3, 'published-staging'),
        peers: s3PeerRecords(s3, (environment) => `published-${environment}`),
      };
    },
  ],
])('published records %s', (_, fresh) => {
  let published: PublishedRecords;
  let peers: PeerRecords;
  beforeAll(async () => {
    ({ published, peers } = await fresh());
  });

  it('show nothing before anything is published, and nothing of who is not deployed', async () => {
    expect(await peers.publicKeyPem('staging')).toBeUndefined();
    expect(await peers.recordsAfter('staging', 'm', -1)).toEqual([]);
    expect(await peers.newestPointer('staging', 'm')).toBeUndefined();
    expect(await peers.publicKeyPem('prod')).toBeUndefined();
    expect(await peers.newestPointer('prod', 'm')).toBeUndefined();
  });

  it('show one key for ever', async () => {
    await published.publishKey('a pem');
    await published.publishKey('a pem');
    expect(await peers.publicKeyPem('staging')).toBe('a pem');
    await expect(published.publishKey('another pem')).rejects.toMatchObject({ code: 'PUBLISHED_DIFFERENTLY' });
    expect(await peers.publicKeyPem('staging')).toBe('a pem');
  });

  it('have each number once; the same payload under another signature is the same', async () => {
    await published.publishRecord('once', { seq: 0, envelope: envelope('zero') });
    await published.publishRecord('once', { seq: 0, envelope: envelope('zero', 'b3RoZXI=') });
    expect(await peers.recordsAfter('staging', 'once', -1)).toEqual([{ seq: 0, envelope: envelope('zero') }]);
    const other = published.publishRecord('once', { seq: 0, envelope: envelope('something else') });
    await expect(other).rejects.toMatchObject({ code: 'PUBLISHED_DIFFERENTLY' });
    expect(await peers.recordsAfter('staging', 'once', -1)).toEqual([{ seq: 0, envelope: envelope('zero') }]);
  });

  it('come in the order of their numbers, after the one that was read, a hundred at a time, per model', async () => {
    for (const seq of [9, 10, 11, 100, 2, 0, 1])
      await published.publishRecord('order', { seq, envelope: envelope(`record ${seq}`) });
    await published.publishRecord('order-of-another', { seq: 5, envelope: envelope('other') });
    const after = async (seq: number): Promise<number[]> =>
      (await peers.recordsAfter('staging', 'order', seq)).map((record) => record.seq);
    expect(await after(-1)).toEqual([0, 1, 2, 9, 10, 11, 100]);
    expect(await after(0)).toEqual([1, 2, 9, 10, 11, 100]);
    expect(await after(10)).toEqual([11, 100]);
    expect(await after(100)).toEqual([]);
    for (let seq = 0; seq < 105; seq += 1) await published.publishRecord('many', { seq, envelope: envelope(`${seq}`) });
    const page = await peers.recordsAfter('staging', 'many', 3);
    expect(page.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 4));
  });

  it('show the newest pointer', async () => {
    for (const seq of [1, 2, 10, 9]) await published.publishPointer('m', { seq, envelope: envelope(`pointer ${seq}`) });
    expect(await peers.newestPointer('staging', 'm')).toEqual({ seq: 10, envelope: envelope('pointer 10') });
    const other = published.publishPointer('m', { seq: 10, envelope: envelope('another') });
    await expect(other).rejects.toMatchObject({ code: 'PUBLISHED_DIFFERENTLY' });
  });
});

describe.each([
  ['in memory', async (): Promise<Signer> => memorySigner()],
  [
    'by KMS',
    async (): Promise<Signer> => {
      const kms = clients(cloud, ACCOUNT).kms();
      const { KeyMetadata: key } = await kms.send(
        new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
      );
      return kmsSigner(kms, key?.KeyId ?? '');
    },
  ],
])('a signer %s', (_, fresh) => {
  it('signs what the key opens, and nothing else', async () => {
    const signer = await fresh();
    const pem = await signer.publicKeyPem();
    expect(await signer.publicKeyPem()).toBe(pem);
    const payload = new TextEncoder().encode('{"a":1}');
    const sig = await signer.sign(preAuthenticationEncoding(PAYLOAD_TYPES.pointer, payload));
    const sealed: Envelope = {
      payloadType: PAYLOAD_TYPES.pointer,
      payload: Buffer.from(payload).toString('base64'),
      signatures: [{ keyid: keyIdOf(pem), sig: Buffer.from(sig).toString('base64') }],
    };
    expect(Buffer.from(openEnvelope(sealed, PAYLOAD_TYPES.pointer, pem)).toString()).toBe('{"a":1}');
    const refusals: [Envelope, string, string][] = [
      [sealed, PAYLOAD_TYPES.auditRecord, pem],
      [{ ...sealed, payloadType: PAYLOAD_TYPES.auditRecord }, PAYLOAD_TYPES.auditRecord, pem],
      [{ ...sealed, payload: Buffer.from('{"a":2}').toString('base64') }, PAYLOAD_TYPES.pointer, pem],
      [sealed, PAYLOAD_TYPES.pointer, await memorySigner().publicKeyPem()],
    ];
    for (const [each, type, key] of refusals)
      expect(() => openEnvelope(each, type, key)).toThrow(expect.objectContaining({ code: 'BAD_SIGNATURE' }));
  });
});

/** A queue and what arrives in it. */
async function queue(name: string) {
  const { sqs } = clients(cloud, ACCOUNT);
  const { QueueUrl: url = '' } = await sqs().send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes: attributes } = await sqs().send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  const receive = (): Promise<string> =>
    eventually(`a message in ${name}`, async () => {
      const { Messages: messages } = await sqs().send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 1 }));
      return messages?.[0]?.Body;
    });
  return { url, arn: attributes?.['QueueArn'] ?? '', receive };
}

describe('announcements', () => {
  const { record } = nextRecord(EMPTY_CHAIN, 'staging', 'm', 'operation', new Date('2026-03-02T09:00:00Z'), {
    code: 'PEER_VERIFICATION_FAILED',
    actor: 'pipeline:intake',
    release: digestOf('release'),
    details: { peer: 'dev', seq: 3, rule: 'chain-unbroken', found: 'record 3 is missing' },
  });

  it('tell peers where to read, people what happened, and rules what to do', async () => {
    const { sns, events } = clients(cloud, ACCOUNT);
    const topic = async (Name: string): Promise<string> =>
      (await sns().send(new CreateTopicCommand({ Name }))).TopicArn ?? '';
    const [announcementsTopic, alertsTopic] = await Promise.all([topic('announcements'), topic('alerts')]);
    const [peer, person, rule] = await Promise.all([queue('peer'), queue('person'), queue('rule')]);
    await sns().send(new SubscribeCommand({ TopicArn: announcementsTopic, Protocol: 'sqs', Endpoint: peer.arn }));
    await sns().send(new SubscribeCommand({ TopicArn: alertsTopic, Protocol: 'sqs', Endpoint: person.arn }));
    await events().send(new CreateEventBusCommand({ Name: 'bus' }));
    const pattern = JSON.stringify({ source: ['gatehouse'], 'detail-type': ['PEER_VERIFICATION_FAILED'] });
    await events().send(new PutRuleCommand({ Name: 'rule', EventBusName: 'bus', EventPattern: pattern }));
    await events().send(
      new PutTargetsCommand({ Rule: 'rule', EventBusName: 'bus', Targets: [{ Id: 'queue', Arn: rule.arn }] }),
    );

    const announcements = snsAnnouncements(
      { sns: sns(), alerts: sns(), events: events() },
      { announcementsTopic, alertsTopic, bus: 'bus' },
    );
    await announcements.announce(record);
    await announcements.emit(record);
    for (const mayRepeat of [false, true]) await announcements.alert(record, { mayRepeat });

    const Wrapped = z.object({
      Message: z.string(),
      Subject: z.string().optional(),
      MessageAttributes: z.record(z.string(), z.unknown()).default({}),
    });
    const announced = Wrapped.parse(JSON.parse(await peer.receive()));
    expect(JSON.parse(announced.Message)).toEqual({ environment: 'staging', model: 'm', seq: 0 });
    const alert = Wrapped.parse(JSON.parse(await person.receive()));
    expect(alert.Subject).toBe('[staging] m: PEER_VERIFICATION_FAILED');
    expect(alert.MessageAttributes['code']).toEqual({ Type: 'String', Value: 'PEER_VERIFICATION_FAILED' });
    expect(JSON.parse(alert.Message)).toMatchObject({
      meaning: 'a record, pointer or key that a peer published failed verification',
      details: { peer: 'dev' },
    });
    const again = Wrapped.parse(JSON.parse(await person.receive()));
    expect(again.Subject).toBe('[staging] m: PEER_VERIFICATION_FAILED (may repeat)');
    expect(JSON.parse(again.Message)).toMatchObject({ note: expect.stringMatching(/may repeat/), seq: 0 });
    const event = z.object({ detail: AuditRecord }).parse(JSON.parse(await rule.receive()));
    expect(event.detail).toEqual(record);
  });

  it('are refused where they are larger than a message may be, as in memory', async () => {
    const { sns, events } = clients(cloud, ACCOUNT);
    const names = { announcementsTopic: 'none', alertsTopic: 'none', bus: 'none' };
    const large = { ...record, details: { found: 'x'.repeat(256 * 1024) } } as typeof record;
    const tooLarge = { code: 'MESSAGE_TOO_LARGE' };
    for (const port of [
      snsAnnouncements({ sns: sns(), alerts: sns(), events: events() }, names),
      memoryAnnouncements(),
    ]) {
      await expect(port.emit(large)).rejects.toMatchObject(tooLarge);
      await expect(port.alert(large, { mayRepeat: false })).rejects.toMatchObject(tooLarge);
    }
  });

  it('reach an inbox that keeps itself subscribed to the topics of other accounts', async () => {
    const { sns, sqs, lambda } = clients(cloud, ACCOUNT);
    const inbox = await queue('inbox');
    const policy = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: inbox.arn }] };
    await sqs().send(
      new SetQueueAttributesCommand({ QueueUrl: inbox.url, Attributes: { Policy: JSON.stringify(policy) } }),
    );
    const dev = clients(cloud, '111111111111').sns();
    const { TopicArn: topic = '' } = await dev.send(new CreateTopicCommand({ Name: 'gatehouse-dev-announcements' }));
    const own = sqsInbox(
      { sns: sns(), sqs: sqs(), lambda: lambda() },
      {
        queueArn: inbox.arn,
        queueUrl: inbox.url,
        publisher: 'publisher',
        topicOf: (environment) => `arn:aws:sns:${REGION}:111111111111:gatehouse-${environment}-announcements`,
      },
    );
    expect(await own.subscribe('prod')).toBe('absent');
    expect(await own.subscribe('dev')).toBe('subscribed');
    expect(await own.subscribe('dev')).toBe('was-subscribed');
    const { Subscriptions: subscriptions } = await dev.send(new ListSubscriptionsByTopicCommand({ TopicArn: topic }));
    expect(subscriptions?.map(({ Endpoint }) => Endpoint)).toEqual([inbox.arn]);
    await own.askToRead('dev', 'm');
    expect(JSON.parse(await inbox.receive())).toEqual({ environment: 'dev', model: 'm' });
  });
});
