import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { S3Client } from '@aws-sdk/client-s3';
import { type Header, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readObject } from '#adapters/aws/artifact-store.ts';
import { MAX_MODEL_BYTES, unpackModel } from '#adapters/aws/model-archive.ts';
import { s3TrainingData } from '#adapters/aws/training.ts';

type File = Partial<Header> & { readonly name: string; readonly text?: string };

async function tarOf(...files: readonly File[]): Promise<Buffer> {
  const packing = pack();
  for (const { text = '', ...header } of files) packing.entry(header, text);
  packing.finalize();
  return buffer(packing);
}

const MODEL = { name: 'model.onnx', text: 'a model'.repeat(500) };
const archiveOf = async (...files: readonly File[]): Promise<Buffer> => gzipSync(await tarOf(...files));
const found = async (archive: Uint8Array, most?: number) => {
  const artifact = await unpackModel(archive, most);
  if (artifact.kind === 'refused') return artifact.refusal;
  return Object.fromEntries([...artifact.files].map(([name, file]) => [name, Buffer.from(file).toString()]));
};
const readable = (error: RegExp) => ({
  rule: 'artifact-readable',
  found: expect.stringMatching(error),
  remedy: expect.stringContaining('train again'),
});

describe('what a training job leaves', () => {
  it('is read by the names of what a release is made from', async () => {
    const files = [MODEL, { name: './metrics.json', text: '{}' }, { name: 'code/train.py', text: 'import os' }];
    expect(await found(await archiveOf(...files))).toEqual({ 'model.onnx': MODEL.text, 'metrics.json': '{}' });
    const predictions = { name: 'predictions.parquet', text: 'PAR1' };
    expect(await found(await archiveOf(MODEL, predictions))).toMatchObject({ 'predictions.parquet': 'PAR1' });
    expect(await found(await archiveOf({ name: 'model.onnx' }))).toEqual({ 'model.onnx': '' });
  });

  it('is refused where gzip or tar is damaged, wherever it breaks off', async () => {
    const [tar, archive] = [await tarOf(MODEL), await archiveOf(MODEL)];
    const turned = Buffer.from(archive.map((byte, at) => (at === 20 ? byte ^ 0xff : byte)));
    expect(await found(turned)).toEqual(readable(/^gzip: /));
    expect(await found(Buffer.from('no archive'))).toEqual(readable(/^gzip: incorrect header check/));
    expect(await found(Buffer.of())).toEqual(readable(/^gzip: unexpected end of file/));
    for (const end of [5, 30, archive.length - 1])
      expect(await found(archive.subarray(0, end))).toEqual(readable(/^gzip: unexpected end of file/));
    for (const end of [100, 600, 512 + MODEL.text.length - 1])
      expect(await found(gzipSync(tar.subarray(0, end))), String(end)).toEqual(readable(/^tar: /));
    expect(await found(gzipSync(Buffer.alloc(2048, 'x')))).toEqual(readable(/^tar: Invalid tar header/));
  });

  it('is refused beyond the limit, with both numbers and however well it is packed', async () => {
    const bomb = await archiveOf({ name: 'other', text: '0'.repeat(1_000_000) });
    expect(bomb.length).toBeLessThan(10_000);
    expect(await found(bomb, 100_000)).toEqual({
      rule: 'artifact-size',
      found: 'unpacked it has more bytes, 100000 are allowed',
      remedy: 'train a smaller model',
    });
  });

  it('is not led astray by paths, links and a second file of the same name', async () => {
    const paths = ['../model.onnx', '/model.onnx', 'a/../model.onnx', 'a/model.onnx', '././model.onnx'];
    expect(await found(await archiveOf(...paths.map((name) => ({ ...MODEL, name }))))).toEqual({});
    const link = { name: 'model.onnx', type: 'symlink' as const, linkname: '/etc/passwd' };
    expect(await found(await archiveOf(link))).toEqual({});
    expect(await found(await archiveOf(MODEL, { ...MODEL, name: './model.onnx' }))).toMatchObject({
      rule: 'artifact-files-unique',
      found: 'two files model.onnx',
    });
  });
});

/** An S3 client whose requests are answered here. */
function s3(
  answer: (method: string) => { status?: number; size?: number; body?: Uint8Array; code?: string },
): S3Client {
  const Request = z.object({ method: z.string() });
  return new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: unknown) => {
        const { status = 200, body = Buffer.of(), size = body.length, code } = answer(Request.parse(request).method);
        const text = code === undefined ? body : Buffer.from(`<Error><Code>${code}</Code></Error>`);
        const headers = { 'content-length': String(code === undefined ? size : text.length) };
        return { response: { statusCode: status, headers, body: Readable.from([text]) } };
      },
    },
  });
}

describe('an artifact in S3', () => {
  const read = (client: S3Client, uri = 's3://bucket/runs/r/model.tar.gz') =>
    s3TrainingData(client, 'bucket').readArtifact(uri);

  it('is refused by its size before a byte is read', async () => {
    const size = MAX_MODEL_BYTES + 1;
    const client = s3((method) => {
      if (method !== 'HEAD') throw new Error('it was read');
      return { size };
    });
    expect(await read(client)).toMatchObject({
      kind: 'refused',
      refusal: { found: `model.tar.gz has ${size} bytes, ${MAX_MODEL_BYTES} are allowed` },
    });
  });

  it('is refused where it is gone, also between two looks, and where its job names none', async () => {
    const gone = {
      rule: 'artifact-present',
      found: 'no object at s3://bucket/runs/r/model.tar.gz',
      remedy: 'train again',
    };
    const before = s3(() => ({ status: 404, code: 'NotFound' }));
    const between = s3((method) => (method === 'HEAD' ? { size: 9 } : { status: 404, code: 'NoSuchKey' }));
    for (const client of [before, between]) expect(await read(client)).toEqual({ kind: 'refused', refusal: gone });
    for (const uri of ['', 's3://bucket', 'nowhere'])
      expect(await read(before, uri)).toMatchObject({ kind: 'refused', refusal: { rule: gone.rule } });
  });

  it('is a fault where S3 does not answer, and not a refusal', async () => {
    await expect(read(s3(() => ({ status: 503, code: 'SlowDown' })))).rejects.toThrow();
  });

  it('has rows beside it that are copied, unless there are none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-rows-'));
    const copy = (client: S3Client) => s3TrainingData(client, 'bucket').fetch('key', join(folder, 'rows'));
    expect(await copy(s3(() => ({ body: Buffer.from('PAR1') })))).toBe(true);
    expect(await readFile(join(folder, 'rows'), 'utf8')).toBe('PAR1');
    expect(await copy(s3(() => ({ status: 404, code: 'NoSuchKey' })))).toBe(false);
    await expect(copy(s3(() => ({ status: 503, code: 'SlowDown' })))).rejects.toThrow();
    await rm(folder, { recursive: true });
  });

  it('is nothing to store where the local file is gone, which ends no process', async () => {
    const storing = s3TrainingData(
      s3(() => ({})),
      'bucket',
    ).storeRows('key', '/nowhere/rows.parquet');
    await expect(storing).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

it('a version of an object that is gone is missing, and no fault of S3', async () => {
  const client = s3(() => ({ status: 404, code: 'NoSuchVersion' }));
  expect(await readObject(client, 'bucket', 'key', 'version')).toBeUndefined();
});
