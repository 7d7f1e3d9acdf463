import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { landPartitions } from '#adapters/aws/partition-upload.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { LandingPartition } from '#model/replay.ts';

/** As much of S3 as landing needs: HEAD and PUT, with the metadata and the order of what was put. */
const objects = new Map<string, string>();
let puts: string[] = [];
const server = createServer((request, response) => {
  const key = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
  const known = objects.get(key);
  if (request.method === 'PUT') {
    objects.set(key, String(request.headers['x-amz-meta-sha256']));
    puts.push(key);
  } else if (known === undefined) response.statusCode = 404;
  else response.setHeader('x-amz-meta-sha256', known);
  request.resume().on('end', () => response.end());
});

let folder = '';
let s3: S3Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-landing-'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  s3 = new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${String(port)}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
afterAll(async () => {
  s3.destroy();
  server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  puts = [];
});

const sources = { readyMarker: '_READY', columns: {} };
const definition = {
  events: { ...sources, source: 'e', id: 'id', entity: 'id', time: 'at' },
  labels: { ...sources, source: 'l', join: 'id', value: 'bad', arrivedAt: 'seen', matureAfterDays: 1 },
};

async function partition(
  kind: 'events' | 'labels',
  day: string,
  content = `${kind} ${day}`,
): Promise<LandingPartition> {
  const file = join(folder, `${kind}-${day}.parquet`);
  await writeFile(file, content);
  return { kind, day, file, sha256: digestOf(content), rows: 1 };
}

async function land(until: string, partitions: LandingPartition[], from?: string) {
  return landPartitions({
    s3,
    bucket: 'landing',
    definition,
    partitions,
    until,
    ...(from === undefined ? {} : { from }),
  });
}

describe('landPartitions', () => {
  it('lands days that are over, the file before its marker, and nothing twice', async () => {
    const partitions = await Promise.all([
      partition('events', '2026-03-01'),
      partition('labels', '2026-03-02'),
      partition('events', '2026-03-02'),
      partition('events', '2026-03-03'),
    ]);
    expect(await land('2026-03-03T12:00:00Z', partitions)).toEqual({ done: 3, total: 3, written: 3 });
    expect(puts.toSorted()).toEqual([
      '/landing/e/dt=2026-03-01/_READY',
      '/landing/e/dt=2026-03-01/events-2026-03-01.parquet',
      '/landing/e/dt=2026-03-02/_READY',
      '/landing/e/dt=2026-03-02/events-2026-03-02.parquet',
      '/landing/l/dt=2026-03-02/_READY',
      '/landing/l/dt=2026-03-02/labels-2026-03-02.parquet',
    ]);
    expect(puts.indexOf('/landing/e/dt=2026-03-01/_READY')).toBeGreaterThan(
      puts.indexOf('/landing/e/dt=2026-03-01/events-2026-03-01.parquet'),
    );
    expect(await land('2026-03-04', partitions, '2026-03-02')).toEqual({ done: 3, total: 3, written: 1 });
  });

  it('lands other content as a correction, with a new marker, and finishes what was interrupted', async () => {
    await land('2026-04-02', [await partition('events', '2026-04-01')]);
    objects.delete('/landing/e/dt=2026-04-01/_READY');
    puts = [];
    await land('2026-04-02', [await partition('events', '2026-04-01')]);
    expect(puts).toEqual(['/landing/e/dt=2026-04-01/_READY']);
    const corrected = await partition('events', '2026-04-01', 'other content');
    expect(await land('2026-04-02', [corrected])).toMatchObject({ written: 1 });
    expect(puts.slice(1)).toEqual([
      '/landing/e/dt=2026-04-01/events-2026-04-01.parquet',
      '/landing/e/dt=2026-04-01/_READY',
    ]);
  });
});
