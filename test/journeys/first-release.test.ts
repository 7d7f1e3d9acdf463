import { type Environment, ENVIRONMENTS, MACHINES, peersOf } from '#domain/environment/environment.ts';
import { ExecutionAlreadyExists, ListExecutionsCommand, DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { ListObjectsV2Command, PutObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { PublishCommand } from '@aws-sdk/client-sns';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf, EMPTY_CHAIN } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';

import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { type Journey, MODEL, openJourney, SPINE } from './_harness.ts';
import { offeredRelease, records, type Release, settled, stateOf } from './_lifecycle.ts';

const Reported = z.object({
  release: z.string(),
  conclusion: z.object({ verdict: z.string(), isChosen: z.boolean() }),
  candidates: z.array(
    z.object({
      release: z.string(),
      isChosen: z.boolean(),
      test: z.object({
        measure: z.string(),
        judgement: z.object({ figures: z.object({ point: z.number() }) }),
      }),
    }),
  ),
  trained: z.object({ joins: z.object({ early: z.literal(0), replaced: z.literal(0), unmatched: z.literal(0) }) }),
  card: z.object({ limits: z.array(z.string()) }),
  cost: z.object({ threshold: z.number(), candidate: z.object({ per1000: z.number() }), always: z.number() }),
  drift: z.object({ status: z.literal('measured'), inputs: z.array(z.object({ input: z.string() })) }),
  explanation: z.object({ importances: z.object({ features: z.array(z.object({ name: z.string() })) }) }),
});
const Registered = z.object({
  registration: z.object({
    report: z.object({ html: z.string(), json: z.string() }),
    // Its program left what it predicts for its first rows, and the pipeline read these rows again.
    agreement: z.object({ rows: z.literal(200) }),
  }),
});

let journey: Journey;
let first: Release;

beforeAll(async () => {
  // What the story tells has happened: somebody put a folder there and landed data, and people promoted what came of it.
  journey = await openJourney('champion');
  first = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

test('its baseline went into every environment by itself, and was all that prod had until people had decided', async () => {
  const baseline = (await records(journey, 'dev', 'BASELINE_REGISTERED'))[0]?.release;
  for (const environment of ['staging', 'prod'] as const) {
    const [initial, next, ...others] = await records(journey, environment, 'RELEASE_PROMOTED');
    expect(initial?.release).toBe(baseline);
    expect(initial === undefined ? undefined : detailsOf(initial, 'RELEASE_PROMOTED')).toMatchObject({
      transition: 'initial',
      kind: 'baseline',
      replaces: null,
      approvedBy: [],
    });
    expect(next).toMatchObject({ release: first.release, details: { replaces: baseline } });
    expect(others).toEqual([]);
    expect(await readPointer(journey.account(environment).ledger, MODEL)).toMatchObject({ current: first.release });
  }
});

test('the offered candidate carries a report, whose figures are those of its measure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-page-'));
  try {
    const page = join(folder, 'report.html');
    const show = ['release', 'show', `${MODEL}@${first.version}`, '--report', '--out', page];
    const report = await journey.run(Reported, show);
    const [offered] = await records(journey, 'dev', 'RELEASE_OFFERED');
    if (offered === undefined) throw new Error('nothing was offered');
    const { measure, improvement } = detailsOf(offered, 'RELEASE_OFFERED');
    const chosen = report.candidates.find(({ isChosen }) => isChosen);
    expect(report).toMatchObject({ release: first.release, conclusion: { verdict: 'PASS', isChosen: true } });
    expect(chosen).toMatchObject({ release: first.release, test: { measure } });
    expect(chosen?.test.judgement.figures.point).toBe(improvement);
    expect(report.card.limits).toEqual(['Its payments are made up, and so is what they lead to.']);
    expect(report.cost.threshold).toBe(0.2);
    expect(report.cost.candidate.per1000).toBeLessThan(report.cost.always);
    expect(report.drift.inputs.map(({ input }) => input)).toContain('amount');
    expect(report.explanation.importances.features.map(({ name }) => name)).toContain('amount');
    // What the page says hashes to what the registration names, and the registration to what the chain does.
    const { registration } = await journey.run(Registered, show.slice(0, 3));
    expect(digestOf(await readFile(page))).toBe(registration.report.html);
    const reported = await records(journey, 'dev', 'RELEASE_REPORTED');
    expect(reported.find(({ release }) => release === first.release)?.details).toMatchObject(registration.report);
    expect(reported).toHaveLength(report.candidates.length);
    expect(await readFile(page, 'utf8')).toContain(`${(100 * improvement).toFixed(2)}\u00a0%`);
    const { release: baseline } = (await records(journey, 'dev', 'BASELINE_REGISTERED'))[0] ?? {};
    const refusal = await journey.refused(['release', 'show', String(baseline), '--report']);
    expect(refusal).toMatchObject({ rule: 'release-reported' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('predictions of both environments are whole and of that release', async () => {
  for (const environment of ['staging', 'prod'] as const) {
    const predictions = await readPredictions(journey.account(environment).ledger, MODEL);
    expect(predictions).toHaveLength(7);
    expect(new Set(predictions.map(({ release }) => release))).toEqual(new Set([first.release]));
    expect(predictions.every(({ rows }) => rows > 400)).toBe(true);
  }
});

test('history, why and status answer who promoted it, and on what evidence', async () => {
  const History = z.object({
    history: z.array(z.object({ version: z.string(), letInBy: z.array(z.string()), askedForBy: z.string() })),
  });
  const { history } = await journey.run(History, ['history', MODEL, '--env', 'prod']);
  expect(history).toMatchObject([
    {
      version: first.version,
      letInBy: ['person:lena (ml-lead)', 'person:paul (platform)'],
      askedForBy: 'person:maya',
    },
    { letInBy: [], askedForBy: 'pipeline:staging' },
  ]);
  const Why = z.object({
    gates: z.array(z.object({ gate: z.string(), verdict: z.string(), reasons: z.array(z.string()) })),
    approvals: z.array(z.object({ subject: z.string(), counts: z.string() })),
    conclusion: z.array(z.string()),
  });
  const why = await journey.run(Why, ['why', first.release, '--to', 'prod']);
  expect(why.gates.map(({ gate, verdict }) => `${verdict} ${gate}`).sort()).toEqual([
    'PASS better-than-champion',
    'PASS data-validated',
    'PASS integration-tests',
    'PASS load',
    'PASS metric-baseline',
    'PASS release-integrity',
    'PASS released-upstream',
    'PASS security-scan',
  ]);
  expect(why.approvals.map(({ counts }) => counts)).toEqual(Array(2).fill('was used for this promotion'));
  const Status = z.object({
    models: z.array(
      z.object({
        environments: z.array(z.object({ environment: z.string(), release: z.string() })),
        releases: z.array(z.object({ version: z.string(), stage: z.string() })),
      }),
    ),
  });
  const { models } = await journey.run(Status, ['status', MODEL]);
  expect(models[0]?.environments.map(({ release }) => release)).toEqual([first.release, first.release]);
  expect(models[0]?.releases.find(({ version }) => version === first.version)?.stage).toBe('Production');
});

test('the release is made again from its manifest, to the byte', async () => {
  const Reproduced = z.object({ identical: z.boolean(), parts: z.array(z.object({ part: z.string() })) });
  const again = await journey.run(Reproduced, ['release', 'reproduce', `${MODEL}@${first.version}`]);
  expect(again).toMatchObject({ identical: true });
  expect(again.parts.map(({ part }) => part)).toContain('model.onnx');
});

test('the policy that is in force says what would change, and how the release would fare', async () => {
  const Shown = z.object({
    digest: z.string(),
    environments: z.array(z.object({ environment: z.string(), inForce: z.string() })),
  });
  const shown = await journey.run(Shown, ['policy', 'show', MODEL]);
  expect(shown.environments.map(({ inForce }) => inForce)).toEqual([shown.digest, shown.digest]);
  const Diff = z.object({
    differences: z.array(z.unknown()),
    replayed: z.array(z.object({ gate: z.string(), said: z.string(), wouldSay: z.string() })),
  });
  const { differences, replayed } = await journey.run(Diff, ['policy', 'diff', MODEL, '--env', 'prod']);
  expect(differences).toEqual([]);
  expect(replayed.map(({ gate, said, wouldSay }) => `${gate}: ${said}, ${wouldSay}`).sort()).toEqual([
    'better-than-champion: PASS, PASS',
    'metric-baseline: PASS, PASS',
  ]);
});

test('every trigger delivered twice changes nothing', async () => {
  const before = await stateOf(journey);
  await deliverAgain();
  await settled(journey);
  expect(await stateOf(journey)).toEqual(before);
});

test('a machine that is started by hand promotes nothing, whatever it is told, and that is recorded', async () => {
  const before = await readPointer(journey.account('prod').ledger, MODEL);
  const { current: release, version } = before ?? {};
  // Another way in, without approvals, in another's name.
  const request = { model: MODEL, release, version, kind: 'trained', transition: 'staging', requestedBy: 'person:lea' };
  const again = await journey.start('prod', 'promotion', 'by-hand', { model: MODEL, request });
  expect((await journey.ended('prod', again)).status).toBe('SUCCEEDED');
  const [refused] = await records(journey, 'prod', 'PROMOTION_REFUSED');
  expect(refused?.details).toMatchObject({ promotion: 'by-hand', rule: 'request-verified' });
  expect(await readPointer(journey.account('prod').ledger, MODEL)).toEqual(before);
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});

/** Delivers everything that the release came from a second time. */
async function deliverAgain(): Promise<void> {
  await landMarkersAgain();
  for (const environment of ENVIRONMENTS) await announceAgain(environment);
  for (const environment of ENVIRONMENTS) await readAgain(environment);
  for (const environment of SPINE) await startAgain(environment);
  await sendJobEventsAgain();
  await approveAgain();
  for (const environment of ENVIRONMENTS) {
    await journey.invoke(environment, 'publisher', { model: MODEL });
    await journey.invoke(environment, 'reconciler');
  }
}

/** The producer writes the same files and markers once more. */
async function landMarkersAgain(): Promise<void> {
  for (const environment of SPINE) {
    const { aws, names } = journey.account(environment);
    const { Contents: contents = [] } = await aws
      .s3()
      .send(new ListObjectsV2Command({ Bucket: names.landingBucket, Prefix: 'cards/' }));
    const days = contents.flatMap(({ Key: key = '' }) => (/dt=2026-01-(20|21)\//.test(key) ? [key] : []));
    for (const key of days.toSorted((a, b) => Number(a.endsWith('_READY')) - Number(b.endsWith('_READY')))) {
      const object = await aws.s3().send(new GetObjectCommand({ Bucket: names.landingBucket, Key: key }));
      const content = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
      await aws.s3().send(new PutObjectCommand({ Bucket: names.landingBucket, Key: key, Body: content }));
    }
    // Admission also gets every marker that there is.
    await journey.run(z.unknown(), ['data', 'import', MODEL, '--env', environment]);
  }
}

/** Every record is announced once more. */
async function announceAgain(environment: Environment): Promise<void> {
  const { aws, names } = journey.account(environment);
  for (const { seq } of await records(journey, environment)) {
    const Message = JSON.stringify({ environment, model: MODEL, seq });
    await aws.sns().send(new PublishCommand({ TopicArn: names.announcementsTopicArn, Message }));
  }
}

/** Every peer's record is taken in once more: by a reader that has lost its place. */
async function readAgain(environment: Environment): Promise<void> {
  const { ledger } = journey.account(environment);
  for (const peer of peersOf(environment)) {
    const key = keys.cursor(`peer-${peer}`, MODEL);
    const cursor = await ledger.get(key);
    if (cursor === undefined) throw new Error(`${environment} has never read ${peer}`);
    const beginning = { ...cursor, seq: EMPTY_CHAIN.seq, hash: EMPTY_CHAIN.hash };
    await ledger.transact([{ kind: 'put', item: beginning }], `lost-${environment}-${peer}`);
    const body = JSON.stringify({ environment: peer, model: MODEL });
    const read = await journey.invoke(environment, 'intake', { Records: [{ messageId: peer, body }] });
    expect(read).toEqual({ batchItemFailures: [] });
    await ledger.transact([{ kind: 'put', item: cursor }], `found-${environment}-${peer}`);
  }
}

/** Each execution is asked for once more under its own name. */
async function startAgain(environment: (typeof SPINE)[number]): Promise<void> {
  const { aws, names } = journey.account(environment);
  for (const machine of MACHINES[environment]) {
    const stateMachineArn = names.stateMachineArn(machine);
    const { executions = [] } = await aws.sfn().send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn, name = '' } of executions) {
      const { input = '{}' } = await aws.sfn().send(new DescribeExecutionCommand({ executionArn }));
      await expect(journey.start(environment, machine, name, JSON.parse(input))).rejects.toThrow(
        ExecutionAlreadyExists,
      );
    }
  }
}

async function sendJobEventsAgain(): Promise<void> {
  const jobs = await journey.account('dev').ledger.query(keys.tasks('training'));
  expect(jobs.length).toBeGreaterThan(0);
  for (const { sk } of jobs) await journey.invoke('dev', 'training-events', { detail: { TrainingJobName: sk } });
}

/** The people press the button once more. */
async function approveAgain(): Promise<void> {
  const promoted = (await records(journey, 'prod', 'RELEASE_PROMOTED')).at(-1);
  if (promoted === undefined) throw new Error('nobody was promoted');
  const { promotion } = detailsOf(promoted, 'RELEASE_PROMOTED');
  for (const person of ['lena', 'paul'])
    expect(await journey.refused(['approve', promotion], person)).toMatchObject({ rule: 'approval-once' });
}
