import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CognitoIdentityProviderClient, InvalidPasswordException } from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { mustBeMet, run as dataCheck } from '#cli/commands/data/check.ts';
import { loadReplay } from '#cli/commands/data/import.ts';
import { registerImages } from '#cli/commands/deploy/deploy.ts';
import { mustHold } from '#cli/commands/fsck/fsck.ts';
import { localReport } from '#cli/commands/local/status.ts';
import { checkData, mustHaveRun } from '#cli/commands/model/check-data.ts';
import { buildLocally } from '#cli/commands/model/local-features.ts';
import { compilePolicyOf } from '#cli/commands/model/policy.ts';
import { run as blastRadius } from '#cli/commands/prediction/blast-radius.ts';
import { run as getPrediction } from '#cli/commands/prediction/get.ts';
import { namedRelease } from '#cli/commands/prediction/read.ts';
import { mustHaveOpened } from '#cli/commands/promotion/promote.ts';
import { refuseDifference } from '#cli/commands/release/reproduce/reproduce.ts';
import { fetchInputs, fetchProgram } from '#cli/commands/release/reproduce/sources.ts';
import { run as smokeTest } from '#cli/commands/smoke-test/smoke-test.ts';
import { run as addUser } from '#cli/commands/user/add.ts';
import { controlAccess } from '#cli/control/api.ts';
import { findRelease, parseReference } from '#cli/references.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { partitionItem } from '#domain/data/partition-item.ts';
import { GatehouseError } from '#domain/error.ts';
import { keys } from '#domain/ledger/keys.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { compileModel } from '#model/compile.ts';
import { makeRelease } from '../use-cases/_releases.ts';
import { MODEL as TOY } from '../use-cases/_environments.ts';
import { fill, testContext } from './_context.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const MODEL = 'flight-delay';
const FLIGHTS = join(REPOSITORY, 'models', MODEL);
const definition = await compileModel(FLIGHTS);

let home: string;
beforeAll(async () => {
  await mkdir(join(REPOSITORY, '.gatehouse'), { recursive: true });
  // Below the repository, so that a model's own imports find the project.
  home = await mkdtemp(join(REPOSITORY, '.gatehouse', 'refused-'));
});
afterAll(() => rm(home, { recursive: true }));

const refusedBy = (rule: string, found: RegExp) => ({ refusal: { rule, found: expect.stringMatching(found) } });
/** What a command that answers at once throws. */
const thrown = async (work: () => unknown): Promise<unknown> => work();

const registration = (release: string, version: string) => ({
  ...keys.registration(MODEL, release),
  formatVersion: 1,
  model: MODEL,
  release,
  kind: 'trained',
  version,
  reason: 'other data',
  owner: 'ops',
  creator: 'pipeline:registration',
  at: '2001-04-02T06:00:00.000Z',
  run: 'r',
  window: 'four-weeks',
  metrics: {},
  parent: null,
});

describe('a release', () => {
  it('is refused where digits begin several', async () => {
    const { ledgerOf } = testContext({});
    const digests = ['1', '2'].map((digit) => `sha256:0123abcd${digit.repeat(56)}`);
    await fill(
      ledgerOf('dev'),
      digests.map((release, index) => registration(release, `0.1.${index}`)),
    );
    await expect(findRelease(ledgerOf('dev'), parseReference('0123abcd'), [MODEL])).rejects.toMatchObject(
      refusedBy('release-unique', /begins 2 digests/),
    );
  });

  it.each(['blast-radius', 'get'])('of another model is refused by prediction %s', async (command) => {
    const { context, ledgerOf } = testContext({ model: TOY, release: `${MODEL}@0.1.1` }, { env: 'prod' });
    await fill(ledgerOf('dev'), [{ ...keys.version(MODEL, '0.1.1'), release: digestOf('0.1.1') }]);
    const asked = command === 'get' ? namedRelease(context, TOY, `${MODEL}@0.1.1`) : blastRadius(context);
    await expect(asked).rejects.toMatchObject(refusedBy('release-of-model', /is a release of flight-delay/));
  });

  it('is refused for look-up where none is served, or the served one publishes no rows', async () => {
    const { context, ledgerOf, releasesOf } = testContext({ model: TOY, entity: 'e' }, { env: 'prod' });
    await expect(getPrediction(context)).rejects.toMatchObject(refusedBy('release-served', /prod serves no release/));
    const current = await makeRelease(releasesOf('prod'), 'served');
    const served = { model: TOY, environment: 'prod', current, version: '0.1.1', fencingToken: 1, writtenBy: 't' };
    const pointer = advancePointer(undefined, { ...served, at: '2026-03-02T09:00:00.000Z' }, []);
    await ledgerOf('prod').transact([pointerWrite(undefined, pointer)], 'serve');
    await expect(getPrediction(context)).rejects.toMatchObject(refusedBy('predictions-looked-up', /no rows/));
  });

  it('is not rebuilt where its inputs or its program are not known, or it comes out otherwise', async () => {
    const store = memoryArtifactStore();
    const manifest = openManifest(await store.read(await makeRelease(store, 'old')));
    const { context } = testContext({});
    await expect(fetchInputs(context.cloud('dev'), store, manifest, home)).rejects.toMatchObject(
      refusedBy('inputs-named', /names no input partitions/),
    );
    const paths = { daily: 'features/daily.sql', features: 'features/features.sql' };
    await expect(fetchProgram(store, manifest, paths, FLIGHTS, join(home, 'program'))).rejects.toMatchObject(
      refusedBy('code-known', /commit commit cannot be checked out/),
    );
    await expect(thrown(() => refuseDifference('model.onnx', 'byte 2 of 3'))).rejects.toMatchObject(
      refusedBy('reproducible', /^model\.onnx is not the same: byte 2 of 3$/),
    );
  });
});

describe('data', () => {
  const files = async (kind: string, day: string) => {
    const file = join(home, kind, `dt=${day}`, 'part.parquet');
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, kind);
    return [file];
  };

  it('is refused with a gap between its days', async () => {
    const { context, ledgerOf } = testContext({ model: MODEL }, { env: 'dev' });
    const objects = [{ bucket: 'landing', key: 'k', versionId: 'v', sha256: digestOf('k'), size: 1 }];
    await fill(
      ledgerOf('dev'),
      ['2026-02-01', '2026-02-03'].map((day) =>
        partitionItem(keys.partition(MODEL, 'events', day), {
          formatVersion: 1,
          model: MODEL,
          kind: 'events',
          day,
          version: 1,
          digest: digestOf(day),
          objects,
          admittedAt: '2026-02-04T00:00:00.000Z',
        }),
      ),
    );
    await expect(dataCheck(context)).rejects.toMatchObject(refusedBy('data-whole', /events of 2026-02-02/));
  });

  it('is refused that does not meet its expectations, or whose suites do not run', async () => {
    mustBeMet({ failures: [], groups: [] });
    mustHaveRun(undefined);
    await expect(
      thrown(() => mustBeMet({ failures: ['a', 'b'], groups: ['events: not unique', 'labels: null'] })),
    ).rejects.toMatchObject(refusedBy('data-expectations', /2 expectations are not met: events: not unique; and 1/));
    await expect(thrown(() => mustHaveRun('no module named great_expectations'))).rejects.toMatchObject(
      refusedBy('suites-run', /no module/),
    );
  });

  it('is refused where nothing is asked of it, no label is due, or a day is missing', async () => {
    const { context } = testContext({}, { home });
    const { data, ...policy } = await compilePolicyOf(context, FLIGHTS);
    const model = { folder: FLIGHTS, definition, policy };
    const given = { events: await files('events', '2026-03-01'), labels: await files('labels', '2026-03-01') };
    await expect(checkData(context, model, given)).rejects.toMatchObject(refusedBy('data-rule', /has no rules/));
    const asking = { ...model, policy: data === undefined ? policy : { ...policy, data } };
    await expect(checkData(context, asking, given)).rejects.toMatchObject(refusedBy('labels-due', /until 2026-03-01/));
    await expect(buildLocally(definition, FLIGHTS, [], ['2026-03-01'], join(home, 'built'))).rejects.toMatchObject(
      refusedBy('partitions-there', /features of 2026-03-01 need events of/),
    );
  });

  it('of a model without a replay cannot be replayed', async () => {
    await expect(loadReplay(home, 'churn')).rejects.toMatchObject(refusedBy('replay-known', /has no replay\.ts/));
  });
});

it('two models have no image in common', async () => {
  const models = join(home, 'models');
  for (const name of ['one', 'two']) {
    await mkdir(join(models, name), { recursive: true });
    for (const file of ['model.ts', 'features/daily.sql', 'features/features.sql', 'training/train.py']) {
      const path = join(models, name, file);
      await mkdir(join(path, '..'), { recursive: true });
      const text = await readFile(join(REPOSITORY, 'cli/templates/model', file), 'utf8');
      const image = `training: { image: 'repository@${digestOf('image')}', local:`;
      await writeFile(path, text.replace('training: { local:', image));
    }
  }
  const { context } = testContext({}, { home, models: [models] });
  await expect(registerImages(context)).rejects.toMatchObject(
    refusedBy('image-of-one-model', /^two has the image of another model: repository@sha256:/),
  );
});

describe('control', () => {
  it('is reached by https only', async () => {
    const { context } = testContext({});
    await expect(controlAccess(context, { api: 'http://control.example', client: 'c' })).rejects.toMatchObject(
      refusedBy('api-encrypted', /control\.example/),
    );
  });

  it('says why its user pool does not take a person', async () => {
    const { context } = testContext({ username: 'lea', role: ['ml-lead'] });
    const cognito = new CognitoIdentityProviderClient({ region: 'us-east-1' });
    const $metadata = {};
    cognito.middlewareStack.add(
      (_, { commandName }) =>
        async () => {
          if (commandName === 'ListUsersCommand') return { output: { Users: [], $metadata }, response: {} };
          throw new InvalidPasswordException({ message: 'Password not long enough', $metadata });
        },
      { step: 'initialize' },
    );
    const outputs = () => Promise.resolve({ UserPoolId: 'pool' });
    const cloud: typeof context.cloud = (environment) =>
      Object.defineProperties(context.cloud(environment), {
        cognito: { value: cognito },
        outputs: { value: outputs },
      });
    await expect(addUser({ ...context, cloud, ask: () => Promise.resolve('short') })).rejects.toMatchObject(
      refusedBy('user-valid', /not long enough/),
    );
  });
});

it('a request that the target has not answered, or that failed there, is refused', async () => {
  const found = { model: MODEL, release: digestOf('r'), version: '1.2.0' };
  const opened = { status: 'promoted', promotion: 'p', text: 'it is in prod' } as const;
  expect(mustHaveOpened(opened, found, 'prod')).toBe(opened);
  await expect(thrown(() => mustHaveOpened(undefined, found, 'prod'))).rejects.toMatchObject(
    refusedBy('promotion-opened', /prod has not answered yet/),
  );
  const failed = { status: 'refused', rule: 'promotion-succeeded', found: 'Verify release: out of memory' } as const;
  await expect(thrown(() => mustHaveOpened(failed, found, 'prod'))).rejects.toMatchObject({
    refusal: { rule: 'promotion-succeeded', remedy: 'see: gatehouse why flight-delay@1.2.0 --to prod' },
  });
});

it('a deployment of which a check fails is refused', async () => {
  const { context } = testContext({}, { env: 'control' });
  const silent = () => Promise.reject(new GatehouseError('LEDGER_UNANSWERED', 'the ledger did not answer in time'));
  const cloud: typeof context.cloud = (environment) =>
    Object.defineProperties(context.cloud(environment), { ledger: { value: { get: silent } } });
  await expect(smokeTest({ ...context, cloud })).rejects.toMatchObject(
    refusedBy('smoke-test', /1 of 1 checks failed; first: control ledger answers: the ledger did not answer/),
  );
});

it('a ledger that violates an invariant is refused, and so is a local cloud of which a part has ended', async () => {
  const about = { environment: 'prod', model: MODEL, invariant: 'chain-whole', meaning: 'no record is missing' };
  mustHold([{ ...about, found: [] }]);
  await expect(thrown(() => mustHold([{ ...about, found: ['record 3 is missing'] }]))).rejects.toMatchObject(
    refusedBy('invariants', /1 of 1 checks are violated; first: prod chain-whole: record 3/),
  );
  await expect(
    thrown(() => localReport({ state: 'broken', dead: ['sagemaker'], logs: ['/home/sagemaker.log'] })),
  ).rejects.toMatchObject(refusedBy('local-cloud-whole', /^sagemaker has ended$/));
});
