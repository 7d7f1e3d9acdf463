import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { literal, PARQUET, withDatabase } from '#adapters/duckdb/database.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL } from './_harness.ts';

/** Somebody who lands payments in dev, and whatever else. */
export interface Producer {
  /** Writes an object into the landing bucket. */
  put(key: string, body: Uint8Array | string): Promise<void>;
  /** Writes other payments of a day, and their marker. */
  writes(day: string, content: Uint8Array | string): Promise<void>;
  /** Lands other payments of a day, and waits until they are admitted. */
  lands(day: string, content: Uint8Array | string): Promise<void>;
  /** What some SQL makes of the payments of a day, as they were landed. */
  rewritten(day: string, select: string): Promise<Uint8Array>;
  /** The version of a day's payments that dev has admitted; 0 where it has none. */
  versionOf(day: string): Promise<number>;
}

/** A producer of the payments of a journey. */
export function producerOf(journey: Journey): Producer {
  const { aws, names, ledger } = journey.account('dev');
  const folderOf = (day: string): string => `cards/payments/dt=${day}`;
  const put = async (key: string, body: Uint8Array | string): Promise<void> => {
    await aws.s3().send(new PutObjectCommand({ Bucket: names.landingBucket, Key: key, Body: body }));
  };
  const versionOf = async (day: string): Promise<number> =>
    (await readPartitions(ledger, MODEL, 'events')).find((partition) => partition.day === day)?.version ?? 0;
  const writes = async (day: string, content: Uint8Array | string): Promise<void> => {
    await put(`${folderOf(day)}/part-000.parquet`, content);
    await put(`${folderOf(day)}/_READY`, '{}');
  };
  return {
    put,
    versionOf,
    writes,
    async lands(day, content) {
      const before = await versionOf(day);
      await writes(day, content);
      await eventually(`${day} to be admitted`, async () => ((await versionOf(day)) > before ? true : undefined));
    },
    async rewritten(day, select) {
      const landed = { Bucket: names.landingBucket, Key: `${folderOf(day)}/part-000.parquet` };
      const object = await aws.s3().send(new GetObjectCommand(landed));
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-rewritten-'));
      try {
        const [whole, other] = [join(folder, 'whole.parquet'), join(folder, 'other.parquet')];
        await writeFile(whole, (await object.Body?.transformToByteArray()) ?? new Uint8Array());
        await withDatabase('1GB', async (connection) => {
          await connection.run(`CREATE VIEW day AS FROM read_parquet(${literal(whole)})`);
          await connection.run(`COPY (${select}) TO ${literal(other)} (${PARQUET})`);
        });
        return await readFile(other);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
}
