import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { rowsOf as rowsOfFile, withDatabase } from '#adapters/duckdb/database.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { FIRST, offeredRelease, recorded, records, type Release, settled } from './_lifecycle.ts';

/** The newest day with events, and one whose labels are corrected: the days after it read them. */
const [NEWEST, CORRECTED] = ['2026-01-26', '2026-01-24'];
const ENV = ['--env', 'staging'] as const;

let journey: Journey;
let release: Release;
beforeAll(async () => {
  journey = await openJourney('candidate');
  release = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

const staging = () => journey.account('staging');
const manifests = () => readPredictions(staging().ledger, MODEL);
const manifestOf = async (day: string): Promise<PredictionManifest | undefined> =>
  (await manifests()).find((manifest) => manifest.day === day);

const Plan = z.looseObject({
  kind: z.string(),
  toScore: z.number(),
  partitions: z.array(z.looseObject({ day: z.string(), action: z.string(), reasons: z.array(z.string()) })),
  estimate: z.object({ seconds: z.number().nullable(), dollars: z.number().nullable() }),
});
const Rows = z.object({
  rows: z.array(z.object({ day: z.string(), row: z.string(), prediction: z.number(), release: z.string() })),
});
const plan = () => journey.run(Plan, ['prediction', 'plan', MODEL, ...ENV]);
const rowsOf = async (entity: string) => (await journey.run(Rows, ['prediction', 'get', MODEL, entity, ...ENV])).rows;

test('what is published is looked up by entity, and a plan has nothing to do', async () => {
  const rows = await rowsOf('card-7');
  expect(rows.length).toBeGreaterThan(5);
  expect(new Set(rows.map((row) => row.release))).toEqual(new Set([release.release]));
  expect(rows[0]?.day).toBe(NEWEST);
  expect(await rowsOf('card-unknown')).toEqual([]);
  expect(await plan()).toMatchObject({ kind: 'none', toScore: 0 });
  expect(await journey.run(Plan, ['prediction', 'run', MODEL, '--dry-run', ...ENV])).toMatchObject({ kind: 'none' });
});

test('what is published is exported as one file of one release', async () => {
  const published = await manifests();
  const file = join(journey.cloud.home, 'exported.parquet');
  const days = ['--from', published[0]?.day ?? '', '--to', NEWEST] as const;
  const Exported = z.object({ rows: z.number(), days: z.number(), release: z.string() });
  expect(await journey.run(Exported, ['prediction', 'export', MODEL, ...ENV, ...days, '--out', file])).toEqual({
    rows: published.reduce((sum, { rows }) => sum + rows, 0),
    days: published.length,
    release: release.release,
  });
  const rows = await withDatabase('512MB', (connection) =>
    rowsOfFile(
      connection,
      `SELECT count(DISTINCT day) AS days, min(prediction) > 0 AS predicted, any_value(model_release) AS release FROM '${file}'`,
    ),
  );
  expect(rows).toEqual([{ days: published.length, predicted: true, release: release.release }]);
  const other = ['--release', `${MODEL}@0.1.0`] as const;
  expect(
    await journey.refused(['prediction', 'export', MODEL, ...ENV, ...days, '--out', file, ...other]),
  ).toMatchObject({ rule: 'prediction-release' });
});

test('corrected labels recompute the rows that they touch, and carry over the others', async () => {
  const before = await manifests();
  const runs = (await records(journey, 'staging', 'PREDICTIONS_PUBLISHED')).length;
  const damage = { kind: 'shuffled-labels', first: CORRECTED, last: CORRECTED };
  await journey.land({ from: FIRST.from, until: FIRST.asOf, damage }, ['staging']);
  await recorded(journey, 'staging', 'PREDICTIONS_PUBLISHED', (record) => record.details['kind'] === 'partial');
  await settled(journey, ['dev', 'staging']);
  expect((await records(journey, 'staging', 'PREDICTIONS_PUBLISHED')).length).toBeGreaterThan(runs);
  const after = await manifests();
  for (const manifest of after) {
    const earlier = before.find(({ day }) => day === manifest.day);
    if (manifest.day <= CORRECTED) {
      expect(manifest).toEqual(earlier);
      continue;
    }
    // Cards that had no label among the corrected ones are carried over.
    expect(manifest.lineage).toMatchObject({ from: earlier?.object.sha256, dropped: 0 });
    const { carried = 0, scored = 0 } = manifest.lineage ?? {};
    expect(carried + scored).toBe(manifest.rows);
    expect(carried).toBeGreaterThan(0);
    expect(scored).toBeGreaterThan(0);
  }
  expect((await plan()).estimate.seconds).toBe(0);
});

test('a withdrawn partition is empty, for readers too, and comes back as it was', async () => {
  const before = await manifestOf(NEWEST);
  const marker = { Bucket: staging().names.landingBucket, Key: `cards/payments/dt=${NEWEST}/_READY` };
  await staging().aws.s3().send(new DeleteObjectCommand(marker));
  const record = await recorded(journey, 'staging', 'PARTITION_WITHDRAWN');
  expect(detailsOf(record, 'PARTITION_WITHDRAWN')).toMatchObject({ kind: 'events', day: NEWEST, version: 2 });
  await eventually(`nothing to be published of ${NEWEST}`, async () =>
    (await manifestOf(NEWEST))?.rows === 0 ? true : undefined,
  );
  await settled(journey, ['dev', 'staging']);
  expect((await rowsOf('card-7')).filter(({ day }) => day === NEWEST)).toEqual([]);
  await staging()
    .aws.s3()
    .send(new PutObjectCommand({ ...marker, Body: 'ready' }));
  await eventually(`${NEWEST} to be published again`, async () =>
    (await manifestOf(NEWEST))?.object.sha256 === before?.object.sha256 ? true : undefined,
  );
  await settled(journey, ['dev', 'staging']);
  expect((await rowsOf('card-7')).some(({ day }) => day === NEWEST)).toBe(true);
});

test('who names another release than is published is told, and gets no predictions', async () => {
  const refusal = await journey.refused([
    'prediction',
    'show',
    MODEL,
    ...ENV,
    '--day',
    NEWEST,
    '--release',
    `${MODEL}@0.1.0`,
  ]);
  expect(refusal.rule).toBe('prediction-release');
  expect(refusal.found).toContain(release.release);
  const refused = await journey.refused(['prediction', 'get', MODEL, 'card-7', ...ENV, '--release', `${MODEL}@0.1.0`]);
  expect(refused.rule).toBe('prediction-release');
  expect((await journey.refused(['prediction', 'show', MODEL, ...ENV, '--day', '2025-12-31'])).rule).toBe(
    'predictions-published',
  );
});

test('who finds another release than the served one starts the repair, because the model says so', async () => {
  const before = await manifestOf(NEWEST);
  const pointer = await readPointer(staging().ledger, MODEL);
  expect(pointer?.current).toBe(release.release);
  // As a run of a release that nobody serves would have left it, if it could publish.
  const item = { ...keys.prediction(MODEL, NEWEST), ...before, release: digestOf('a stray release') };
  await staging().ledger.transact([{ kind: 'put', item: JSON.parse(JSON.stringify(item)) }], 'a stray release');
  const refusal = await journey.refused(['prediction', 'show', MODEL, ...ENV, '--day', NEWEST]);
  expect(refusal.rule).toBe('prediction-release');
  await eventually('the repair', async () =>
    (await manifestOf(NEWEST))?.release === release.release ? true : undefined,
  );
  await settled(journey, ['dev', 'staging']);
  expect(await journey.fsck()).toEqual([]);
});
