import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { objectKey, s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { fileOf, openManifest } from '#domain/release/manifest.ts';
import { Envelope } from '#domain/signature/dsse.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, MODEL, openJourney, type SpineEnvironment } from './_harness.ts';
import { deafen, silence } from './_hearing.ts';
import {
  approve,
  askForProd,
  offeredRelease,
  recorded,
  records,
  type Release,
  servedRelease,
  serves,
  settled,
} from './_lifecycle.ts';

let journey: Journey;
let pager: { readonly staging: Listener; readonly prod: Listener };
let first: Release;
let second: Release;

beforeAll(async () => {
  journey = await openJourney('offered');
  pager = { staging: await listen(journey, 'staging'), prod: await listen(journey, 'prod') };
  first = await servedRelease(journey, 'prod');
  second = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

test('a model that was changed in dev is not promoted to staging, and not one byte of it is taken over', async () => {
  // Dev has not published its offer yet: what staging is offered is changed before it looks.
  const { names } = journey.account('dev');
  const model = await modelOf('dev', second);
  const restore = await change('dev', names.artifactBucket, model, spoiled);
  await silence(journey, 'dev', false);
  await journey.invoke('dev', 'publisher', { model: MODEL });
  const refused = await recorded(journey, 'staging', 'PROMOTION_REFUSED', ({ release }) => release === second.release);
  expect(refused.details).toMatchObject({
    rule: 'release-integrity',
    reasons: [expect.stringContaining('does not hash to its name')],
  });
  expect((await pager.staging.hears('PROMOTION_REFUSED')).details).toEqual(refused.details);
  const store = s3ArtifactStore(journey.account('staging').aws.s3(), journey.account('staging').names.artifactBucket);
  const digest = Digest.parse(`sha256:${model.slice('objects/'.length)}`);
  expect(await store.has(digest)).toBe(false);
  expect((await readPointer(journey.account('staging').ledger, MODEL))?.current).toBe(first.release);
  await restore();
  await journey.run(z.unknown(), ['promote', second.release, '--to', 'staging'], 'maya');
  await serves(journey, 'staging', second);
  await settled(journey);
});

test('a model that was changed in staging is not promoted to prod, and fsck names it', async () => {
  const model = await modelOf('staging', second);
  const restore = await change('staging', journey.account('staging').names.artifactBucket, model, spoiled);
  expect(await journey.refused(['promote', second.release, '--to', 'prod'], 'maya')).toMatchObject({
    rule: 'release-integrity',
    found: expect.stringContaining('does not hash to its name'),
  });
  expect((await pager.prod.hears('PROMOTION_REFUSED')).details['rule']).toBe('release-integrity');
  expect((await readPointer(journey.account('prod').ledger, MODEL))?.current).toBe(first.release);
  const [found, ...others] = await journey.fsck();
  expect(found).toMatch(/^staging releases-whole: .*does not hash to its name/);
  expect(found).toContain(`: ${second.version}: `);
  expect(others).toEqual([]);
  await restore();
});

test('a file that is overwritten after its admission is not what is read', async () => {
  const { ledger, names } = journey.account('prod');
  const [, events] = (await readPartitions(ledger, MODEL, 'events')).toReversed();
  const [landed] = events?.objects ?? [];
  await change('prod', names.landingBucket, landed?.key ?? '', spoiled);
  const [prediction] = await readPredictions(ledger, MODEL);
  const restore = await change('prod', names.lakeBucket, prediction?.object.key ?? '', spoiled);
  expect(await journey.fsck()).toEqual([]);
  await restore();
});

test('features that were changed fail the run that meets them: nothing is published, people are told', async () => {
  const { ledger, names } = journey.account('prod');
  const before = await readPredictions(ledger, MODEL);
  const newest = before.at(-1);
  // The newest day is not among the held-out ones: the gates never see it, the batch run does.
  const features = `${MODEL}/features/${newest?.features.slice('sha256:'.length) ?? ''}.parquet`;
  const restore = await change('prod', names.lakeBucket, features, spoiled);
  const promotion = await askForProd(journey, second);
  for (const person of ['lena', 'paul']) await approve(journey, promotion, person);
  await serves(journey, 'prod', second);
  const failed = await recorded(journey, 'prod', 'RUN_FAILED');
  expect(failed.details).toMatchObject({
    machine: 'batch-inference',
    error: expect.stringContaining('does not hash to what was recorded'),
  });
  expect((await pager.prod.hears('RUN_FAILED')).details).toEqual(failed.details);
  expect(await readPredictions(ledger, MODEL)).toEqual(before);
  expect(await journey.fsck()).toEqual(
    before.map(({ day }) => `prod predictions-whole: ${day} was made by ${first.release}, and no run is at work`),
  );
  await restore();
  await journey.run(z.unknown(), ['prediction', 'run', MODEL, '--env', 'prod']);
  await settled(journey);
});

test('a record that was changed where a peer publishes it fails verification, and fsck names it', async () => {
  const { names, ledger } = journey.account('staging');
  await deafen(journey, 'prod', 'staging');
  await journey.run(z.unknown(), ['prediction', 'run', MODEL, '--env', 'staging']);
  await settledIn('staging');
  const seq = Number((await ledger.get(keys.chainHead(MODEL)))?.['seq']);
  const record = `chain/${MODEL}/${String(seq).padStart(12, '0')}.json`;
  const restore = await change('staging', names.publishedBucket, record, forged);
  await journey.invoke('prod', 'reconciler');
  const refused = await recorded(journey, 'prod', 'PEER_VERIFICATION_FAILED');
  expect(refused.details).toMatchObject({ peer: 'staging', seq, rule: 'record-signed' });
  expect((await pager.prod.hears('PEER_VERIFICATION_FAILED')).details).toEqual(refused.details);
  expect(await journey.fsck()).toEqual([expect.stringContaining(`staging chain-published: published record ${seq}`)]);
  await restore();
  await journey.invoke('prod', 'reconciler');
  await settled(journey);
  expect(await records(journey, 'prod', 'PEER_VERIFICATION_FAILED')).toHaveLength(1);
});

test('what exists keeps every invariant again', async () => {
  expect(await journey.fsck()).toEqual([]);
});

/** Where an environment keeps the model of a release. */
async function modelOf(environment: SpineEnvironment, { release }: Release): Promise<string> {
  const { aws, names } = journey.account(environment);
  const manifest = openManifest(await s3ArtifactStore(aws.s3(), names.artifactBucket).read(Digest.parse(release)));
  return objectKey(fileOf(manifest, 'model.onnx').sha256);
}

/** Puts other content in the place of an object, and gives the way to undo it: the first version is still there. */
async function change(
  environment: SpineEnvironment,
  bucket: string,
  key: string,
  other: (content: Uint8Array) => Uint8Array,
): Promise<() => Promise<unknown>> {
  const s3 = journey.account(environment).aws.s3();
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const content = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
  const Metadata = object.Metadata;
  const { VersionId } = await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: other(content), ...(Metadata && { Metadata }) }),
  );
  // What nobody overwrites is locked; here somebody does who may.
  return () =>
    s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId, BypassGovernanceRetention: true }));
}

/** The same size, one bit different. */
function spoiled(content: Uint8Array): Uint8Array {
  const other = content.slice();
  other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
  return other;
}

/** The same signature over another time. */
function forged(content: Uint8Array): Uint8Array {
  const envelope = Envelope.parse(JSON.parse(new TextDecoder().decode(content)));
  const record = z.looseObject({}).parse(JSON.parse(Buffer.from(envelope.payload, 'base64').toString()));
  const payload = Buffer.from(JSON.stringify({ ...record, at: '2026-01-01T00:00:00.000Z' })).toString('base64');
  return new TextEncoder().encode(JSON.stringify({ ...envelope, payload }));
}

/** Waits until an environment has published all that its chain says. */
async function settledIn(environment: SpineEnvironment): Promise<void> {
  const { ledger } = journey.account(environment);
  await eventually(`${environment} to publish`, async () => {
    const [head, cursor] = [await ledger.get(keys.chainHead(MODEL)), await ledger.get(keys.cursor('published', MODEL))];
    return head !== undefined && cursor?.['seq'] === head['seq'] ? true : undefined;
  });
}
