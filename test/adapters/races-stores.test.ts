// What is given, stored, published or answered once, tried by many at once on the emulator.
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { objectKey, s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { memoryProcessingJobs } from '#adapters/memory/processing-jobs.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryLake } from '#adapters/memory/lake.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Key } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { BatchPlan } from '#domain/prediction/manifest.ts';
import { pointerWrite } from '#domain/promotion/pointer.ts';
import { replaceFence } from '#use-cases/inference/fence.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { returnJobToken } from '#use-cases/retraining/return-job-token.ts';
import { pointer } from '#test/domain/promotion/_case.ts';
import { bytes, deployed, MODEL } from '#test/use-cases/_environments.ts';
import { makeRelease } from '#test/use-cases/_releases.ts';
import { eventually, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import {
  expectChain,
  race,
  racers,
  RACERS,
  racing,
  racingLedger,
  readsTogether,
  settings,
  shuffled,
} from './_races.ts';

const clock = { now: () => new Date('2026-03-02T09:00:00.000Z') };

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

racing('version', 'gives a version to one of many releases that are registered at once', async ({ name, rounds }) => {
  const ledger = await racingLedger(cloud, name);
  const releases = memoryArtifactStore();
  // Not registered yet.
  const made: Digest[] = [];
  for (let round = 0; round < rounds; round += 1) {
    while (made.length < RACERS) made.push(await makeRelease(releases, `${round} ${made.length}`));
    const raced = [...made];
    const version = round === 0 ? '0.1.0' : `1.0.${round - 1}`;
    const contested = [keys.version(MODEL, version)];
    const { answers, winner } = await race(
      ledger,
      () => contested,
      async (each, racer) => {
        const release = raced[racer];
        const candidate = { release, window: 'all', fingerprint: digestOf('data'), metrics: {} };
        const deps = { ledger: each, environment: 'dev', clock, releases, deployed };
        const register = registerCandidates(deps)({
          model: MODEL,
          run: 'run',
          candidates: [candidate],
          baseline: null,
        });
        return register.catch((error: unknown) => (error instanceof GatehouseError ? error.code : error));
      },
    );
    const registered = { status: 'registered', candidates: [{ release: raced[winner], version }] };
    expect(answers).toEqual(racers().map((racer) => (racer === winner ? registered : 'VERSION_TAKEN')));
    expect(await ledger.get(keys.version(MODEL, version))).toMatchObject({ release: raced[winner] });
    made.splice(winner, 1);
  }
  expect(await ledger.query(keys.registrations(MODEL))).toHaveLength(rounds);
  await expectChain(ledger, MODEL, rounds);
});

racing(
  'flip',
  'flips a partition once, for a run that holds the fence in the epoch of the pointer',
  async ({ name, rounds }) => {
    const ledger = await racingLedger(cloud, name);
    const day = '2001-01-20';
    const lake = memoryLake();
    const documents = memoryArtifactStore();
    await ledger.transact([pointerWrite(undefined, { ...pointer, model: MODEL })], 'pointer');
    const fence = (fence: number) => ({ fence, requested: 0, running: 'run', startedAt: null });
    for (let round = 0; round < rounds; round += 1) {
      await replaceFence(ledger, MODEL, round === 0 ? undefined : fence(round), fence(round + 1));
      // A quarter of them come late: their fence is an older run's, or their epoch is over.
      const late = (racer: number): 'fence' | 'epoch' | undefined =>
        racer % 8 === 1 ? 'fence' : racer % 8 === 3 ? 'epoch' : undefined;
      const plans = await Promise.all(
        racers().map(async (racer) => {
          const features = digestOf(`features ${round} ${racer}`);
          const content = bytes(`predictions ${round} ${racer}`);
          lake.objects.set(`${MODEL}/predictions/${features}`, { content, sha256: digestOf(content), rows: 1 });
          const plan: BatchPlan = {
            formatVersion: 1,
            model: MODEL,
            run: `run-${round}-${racer}`,
            kind: 'partial',
            release: pointer.current,
            scorer: digestOf('scorer'),
            schema: digestOf('schema'),
            epoch: pointer.epoch - (late(racer) === 'epoch' ? 1 : 0),
            fence: round + (late(racer) === 'fence' ? 0 : 1),
            requested: 0,
            partitions: [{ day, features, predictions: features, reasons: ['new'], rows: null }],
            waiting: [],
          };
          return (await documents.write(bytes(canonicalJson(plan)))).digest;
        }),
      );
      const contested = (racer: number): readonly Key[] => {
        const reason = late(racer);
        if (reason === undefined) return [keys.prediction(MODEL, day)];
        return [reason === 'epoch' ? keys.pointer(MODEL) : keys.fence(MODEL)];
      };
      const { answers, winner } = await race(ledger, contested, (each, racer) =>
        publishPredictions({ ledger: each, environment: 'prod', clock, lake, documents })({
          model: MODEL,
          plan: plans[racer],
        }),
      );
      expect(late(winner)).toBeUndefined();
      for (const [racer, answer] of answers.entries())
        expect(answer).toMatchObject({ status: racer === winner ? 'published' : 'withdrawn' });
      const run = `run-${round}-${winner}`;
      expect(await ledger.get(keys.prediction(MODEL, day))).toMatchObject({
        run,
        rows: 1,
        features: digestOf(`features ${round} ${winner}`),
      });
    }
    await expectChain(ledger, MODEL, rounds);
  },
);

racing(
  'artifact',
  'stores the first bytes under a key: the same bytes are no conflict, others are',
  async ({ name, rounds }) => {
    const s3 = new S3Client({ ...settings(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
    const store = s3ArtifactStore(s3, name);
    let forged = 0;
    for (let round = 0; round < rounds; round += 1) {
      const content = bytes(`artifact ${round}`);
      const digest = digestOf(content);
      const write = () => store.write(content).then(({ result }) => result);
      // Whoever has the right to put objects, and does not hash what he puts.
      const forge = async (racer: number): Promise<string> => {
        const Body = `forged ${round} ${racer}`;
        const ChecksumSHA256 = Buffer.from(digestOf(Body).slice('sha256:'.length), 'hex').toString('base64');
        const Key = objectKey(digest);
        await s3.send(new PutObjectCommand({ Bucket: name, Key, Body, IfNoneMatch: '*', ChecksumSHA256 }));
        return 'forged';
      };
      const isForger = (racer: number): boolean => (racer + round) % 4 === 0;
      const answers: string[] = [];
      const put = async (racer: number): Promise<void> => {
        answers[racer] = await (isForger(racer) ? forge(racer) : write()).catch((error: unknown) =>
          error instanceof GatehouseError ? error.code : error instanceof Error ? error.name : '',
        );
      };
      const order = shuffled(racers());
      // Once a forger has a head start, once somebody honest: both happen, whoever comes first in the other rounds.
      const ahead = order.find((racer) => (round === 0 && isForger(racer)) || (round === 1 && !isForger(racer)));
      if (ahead !== undefined) await put(ahead);
      await Promise.all(order.filter((racer) => racer !== ahead).map((racer) => put(racer)));
      const winner = answers.findIndex((answer) => answer === 'stored' || answer === 'forged');
      const isForged = isForger(winner);
      const told = (racer: number): string => {
        if (racer === winner) return isForged ? 'forged' : 'stored';
        if (isForger(racer)) return 'PreconditionFailed';
        return isForged ? 'ARTIFACT_TAMPERED' : 'already-stored';
      };
      expect(answers).toEqual(racers().map(told));
      const { Versions: versions } = await s3.send(
        new ListObjectVersionsCommand({ Bucket: name, Prefix: objectKey(digest) }),
      );
      expect(versions).toHaveLength(1);
      if (isForged) {
        forged += 1;
        await expect(store.read(digest)).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
      } else expect(Buffer.from(await store.read(digest)).equals(Buffer.from(content))).toBe(true);
    }
    expect(forged).toBeGreaterThan(0);
    expect(forged).toBeLessThan(rounds);
  },
);

racing('task', 'answers a task once, however many saw its job end', async ({ name, rounds }) => {
  const ledger = await racingLedger(cloud, name);
  const sfn = new SFNClient(settings(cloud));
  const sqs = new SQSClient(settings(cloud));
  const { QueueUrl: queue = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const wait = {
    Type: 'Task',
    Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
    Parameters: { QueueUrl: queue, MessageBody: { 'token.$': '$$.Task.Token', 'job.$': '$$.Execution.Name' } },
    End: true,
  };
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name,
      definition: JSON.stringify({ StartAt: 'Wait', States: { Wait: wait } }),
      roleArn: 'arn:aws:iam::111111111111:role/any',
    }),
  );
  const jobs = racers(rounds).map((round) => `job-${round}`);
  const executions = new Map<string, string>();
  for (const name of jobs)
    executions.set(name, (await sfn.send(new StartExecutionCommand({ stateMachineArn, name }))).executionArn ?? '');
  const tokens = new Map<string, string>();
  await eventually('all tokens', async () => {
    const answer = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }));
    for (const { Body: body = '' } of answer.Messages ?? []) {
      const { token, job } = JSON.parse(body) as { token: string; job: string };
      tokens.set(job, token);
    }
    return tokens.size === jobs.length ? true : undefined;
  });
  const machines = stepFunctions(sfn, () => stateMachineArn ?? '');
  for (const job of jobs) {
    const item = {
      ...keys.task('training', job),
      token: tokens.get(job) ?? '',
      model: MODEL,
      run: 'run',
      answered: false,
    };
    await ledger.transact([{ kind: 'put', item }], job);
    const together = { ...ledger, ...readsTogether(ledger) };
    const answers = await Promise.all(
      racers().map((racer) => {
        const describe = async () => ({ kind: 'completed' as const, artifact: `by-${racer}`, seconds: 1 });
        const deps = { ledger: together, machines, jobs: { describe }, checks: memoryProcessingJobs(), clock };
        return returnJobToken(deps, 'training', job);
      }),
    );
    // On AWS one of them; the emulator takes answers until the execution has gone on with one.
    const returned = racers().filter((racer) => answers[racer] === 'returned');
    expect(returned.length).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer === 'gone')).toHaveLength(RACERS - returned.length);
    expect(await ledger.get(item)).toEqual({ ...item, answered: true });
    const output = await eventually(`the end of ${job}`, async () => {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn: executions.get(job) }));
      return execution.output;
    });
    expect(returned.map((racer) => `by-${racer}`)).toContain(
      z.object({ artifact: z.string() }).parse(JSON.parse(output)).artifact,
    );
    const late = { kind: 'completed' as const, artifact: 'late', seconds: 1 };
    const deps = { ledger, machines, jobs: { describe: async () => late }, checks: memoryProcessingJobs(), clock };
    expect(await returnJobToken(deps, 'training', job)).toBe('gone');
  }
});
