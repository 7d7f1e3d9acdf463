import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { DecryptCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { lineReader, lineRequestLog } from '#adapters/aws/request-log.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { REQUEST_LOGGED, type RequestEvents } from '#domain/prediction/request-log.ts';
import { failedRequest, loggedRequest } from '#test/domain/prediction/_logged.ts';

const request = loggedRequest({
  epoch: 2,
  pointerSeq: 3,
  aggregates: digestOf('list'),
  aggregatesUntil: '2026-03-01',
  events: [{ id: '9223372036854775807', digest: digestOf('event'), probability: 0.1 + 0.2 }],
});
const raw: RequestEvents = { events: [{ id: '9223372036854775807', name: 'Zoë, in person' }], context: [] };

/** A KMS that wraps keys for one model each, and an S3; `isDown` is said of the KMS. */
function services() {
  const state = { isDown: false, keys: 0, decrypted: 0, lines: [] as string[], emitted: [] as object[] };
  const objects = new Map<string, Uint8Array>();
  const wrap = (model: string | undefined, key: string): Buffer => Buffer.from(`${model ?? ''} ${key}`);
  const kms = {
    async send(command: unknown) {
      if (state.isDown) throw new Error('KMS is down');
      if (command instanceof GenerateDataKeyCommand) {
        state.keys += 1;
        const plain = createHash('sha256').update(String(state.keys)).digest();
        const context = command.input.EncryptionContext?.['model'];
        return { Plaintext: plain, CiphertextBlob: wrap(context, plain.toString('hex')) };
      }
      if (!(command instanceof DecryptCommand)) throw new Error('KMS is asked for something else');
      state.decrypted += 1;
      const [model, key = ''] = Buffer.from(command.input.CiphertextBlob ?? [])
        .toString()
        .split(' ');
      if (model !== command.input.EncryptionContext?.['model']) throw new Error('another encryption context');
      return { Plaintext: Buffer.from(key, 'hex') };
    },
  };
  const s3 = {
    async send(command: unknown) {
      if (command instanceof PutObjectCommand)
        return objects.set(command.input.Key ?? '', command.input.Body as Uint8Array);
      const content = command instanceof GetObjectCommand ? objects.get(command.input.Key ?? '') : undefined;
      if (content === undefined) throw new NoSuchKey({ message: 'no such key', $metadata: {} });
      return { Body: { transformToByteArray: async () => content } };
    },
  } as unknown as S3Client;
  const log = (keepsEvents = true) =>
    lineRequestLog({
      kms: kms as never,
      keyId: 'key',
      s3,
      bucket: 'lake',
      model: 'toy',
      keepsEvents,
      metrics: { emit: (_, values) => void state.emitted.push(values) },
      writeLine: async (line) => void state.lines.push(line),
    });
  return { state, objects, log, read: lineReader({ kms: kms as never, s3, bucket: 'lake' }) };
}

let here: ReturnType<typeof services>;
beforeEach(() => {
  here = services();
});

describe('a line of the request log', () => {
  it('holds what was answered, encrypted, under one data key for each execution environment', async () => {
    const log = here.log();
    await log.open();
    await log.open();
    for (let line = 0; line < 3; line += 1) await log.write(request, raw);
    expect(here.state.keys).toBe(1);
    for (const line of here.state.lines) {
      expect(line).toContain(REQUEST_LOGGED);
      expect(line).not.toMatch(/9223372036854775807|Zoë/);
      expect(await here.read(line)).toEqual({ request, raw });
    }
    expect(new Set(here.state.lines).size).toBe(3);
    expect(here.state.decrypted).toBe(1);
  });

  it('of a request that nobody answered is as encrypted, and is told from the others', async () => {
    const log = here.log();
    const failed = failedRequest({ arm: 'candidate', event: '9223372036854775807' });
    await log.writeFailed(failed);
    await log.write(request, raw);
    const [first = '', second = ''] = here.state.lines;
    expect(first).toContain(REQUEST_LOGGED);
    expect(first).not.toContain('9223372036854775807');
    expect(await here.read(first)).toEqual({ failed });
    expect(await here.read(second)).toEqual({ request, raw });
    expect(here.state.keys).toBe(1);
  });

  it('holds no raw events where the model keeps none', async () => {
    await here.log(false).write(request, raw);
    expect(await here.read(here.state.lines[0] ?? '')).toEqual({ request, raw: null });
  });

  it('that would be cut is an object in the lake, which is counted', async () => {
    const noise = Array.from({ length: 8_000 }, (_, index) => createHash('sha256').update(String(index)).digest('hex'));
    const long = { events: [{ text: noise.join('') }], context: [] };
    await here.log().write(request, long);
    expect(here.state.lines[0]?.length).toBeLessThan(1_000);
    expect([...here.objects.keys()]).toEqual([expect.stringMatching(/^request-events\/toy\/long\/[0-9a-f]{64}$/)]);
    expect(here.state.emitted).toEqual([{ LongRequestEntries: 1 }]);
    expect(await here.read(here.state.lines[0] ?? '')).toEqual({ request, raw: long });
    const [key = ''] = here.objects.keys();
    here.objects.set(key, Buffer.from('other'));
    await expect(here.read(here.state.lines[0] ?? '')).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
    here.objects.clear();
    await expect(here.read(here.state.lines[0] ?? '')).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  });

  it('is not written without a data key, which is asked for again', async () => {
    const log = here.log();
    here.state.isDown = true;
    await expect(log.open()).rejects.toThrow('KMS is down');
    await expect(log.write(request, raw)).rejects.toThrow('KMS is down');
    expect(here.state.lines).toEqual([]);
    here.state.isDown = false;
    await log.write(request, raw);
    here.state.isDown = true;
    await expect(here.read(here.state.lines[0] ?? '')).rejects.toThrow('KMS is down');
    here.state.isDown = false;
    expect(await here.read(here.state.lines[0] ?? '')).toEqual({ request, raw });
  });

  it('is told from others that hold its word, and a damaged one is no other', async () => {
    await here.log().write(request, raw);
    const [line = ''] = here.state.lines;
    for (const other of ['', 'START RequestId', `{"path":"/v2/${REQUEST_LOGGED}"}`, `"${REQUEST_LOGGED}"`])
      expect(await here.read(other)).toBeUndefined();
    const changed = { ...JSON.parse(line), request: 'call 2' } as object;
    for (const damaged of [line.slice(0, -20), JSON.stringify(changed), line.replace('"iv"', '"vi"')])
      await expect(here.read(damaged)).rejects.toMatchObject({ code: 'REQUEST_LINE_DAMAGED' });
  });
});
