import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { deployLocally, type DeployProgress } from '#local/deploy.ts';
import { clients, freshCloud, type TestCloud } from '../_helpers/cloud.ts';

const app = `${process.execPath} ${join(import.meta.dirname, 'fixture', 'app.ts')}`;
let cloud: TestCloud;

beforeAll(async () => {
  process.env['PLANTED_IN_PARENT'] = 'secret';
  cloud = await freshCloud();
  delete process.env['PLANTED_IN_PARENT'];
});
afterAll(() => cloud[Symbol.asyncDispose]());

const Seen = z.object({
  node: z.string(),
  account: z.string(),
  endpoint: z.string(),
  sagemaker: z.string(),
  cloudwatch: z.string(),
  names: z.array(z.string()),
});

test('every account gets its own stacks, and its functions see the local cloud and nothing else', async () => {
  const progress: DeployProgress[] = [];
  const stacks = await deployLocally({ cloud, app, onProgress: (step) => progress.push(step) });
  const paths = stacks.map(({ account, path }) => `${account} ${path}`);
  expect(new Set(paths)).toEqual(
    new Set(['111111111111 one/First', '111111111111 one/Second', '222222222222 two/First', '222222222222 two/Second']),
  );
  expect(stacks.find(({ path }) => path === 'two/Second')?.outputs).toEqual({ FunctionName: 'fixture-two' });
  expect(progress.filter(({ step }) => step === 'deploying')).toHaveLength(4);
  expect(progress.filter(({ step }) => step === 'deployed')).toHaveLength(4);
  expect(process.env['AWS_ENDPOINT_URL']).toBeUndefined();

  const one = clients(cloud, '111111111111');
  await expect(one.sqs().send(new GetQueueUrlCommand({ QueueName: 'fixture-two' }))).rejects.toThrow();
  const { Payload } = await one.lambda().send(new InvokeCommand({ FunctionName: 'fixture-one' }));
  const seen = Seen.parse(JSON.parse(Buffer.from(Payload ?? []).toString()));
  expect(seen).toMatchObject({
    account: '111111111111',
    endpoint: cloud.endpoint,
    sagemaker: cloud.sagemakerEndpoint,
    cloudwatch: cloud.cloudwatchEndpoint,
  });
  expect(seen.node).toMatch(/^v24\./);
  expect(seen.names).not.toContain('PLANTED_IN_PARENT');
});

test('a second deployment of some stacks changes nothing', async () => {
  const stacks = await deployLocally({ cloud, app, stacks: ['one/*'] });
  expect(stacks.map(({ path }) => path)).toEqual(['one/First', 'one/Second']);
});

test('a pattern that names no stack is a fault', async () => {
  await expect(deployLocally({ cloud, app, stacks: ['three/*'] })).rejects.toThrow(/three/);
});

test('a failure names the resource and the reason', async () => {
  process.env['BROKEN'] = 'yes';
  const deployment = deployLocally({ cloud, app, stacks: ['two/*'] }).finally(() => delete process.env['BROKEN']);
  await expect(deployment).rejects.toMatchObject({ code: 'LOCAL_DEPLOY_FAILED' });
  await expect(deployment).rejects.toThrow(/two-Second: Refused \(AWS::Lambda::Url\): /);
});

test('an app that does not synthesise is a fault that shows why', async () => {
  const broken = `${process.execPath} -e "throw new Error('no such model')"`;
  await expect(deployLocally({ cloud, app: broken })).rejects.toThrow(/no such model/);
});
