import { CreateQueueCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startLocalCloud, stopLocalCloud, type LocalCloud } from '#local/emulator/cloud.ts';
import { readState } from '#local/emulator/state.ts';
import { clients } from '../_helpers/cloud.ts';

const ACCOUNT = '111111111111';
let home = '';
const inState = (name: string): string => join(home, 'emulator', 'state', name);

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
});
afterEach(async () => {
  await stopLocalCloud(home, { saving: false });
  await rm(home, { recursive: true, force: true });
});

const start = (): Promise<LocalCloud> => startLocalCloud({ controlAccount: '444444444444', owner: process.pid, home });
const sqs = (cloud: LocalCloud) => clients(cloud, ACCOUNT).sqs();
const create = (cloud: LocalCloud, name: string) => sqs(cloud).send(new CreateQueueCommand({ QueueName: name }));
const queues = async (cloud: LocalCloud): Promise<string[]> => {
  const { QueueUrls = [] } = await sqs(cloud).send(new ListQueuesCommand({}));
  return QueueUrls.map((url) => url.replace(/.*\//, ''));
};

test('a stop that did not save says so, and the next start finds what the stop before it had saved', async () => {
  await create(await start(), 'first');
  await stopLocalCloud(home);
  await create(await start(), 'second');
  process.kill(readState(home)?.emulator.pid ?? 0, 'SIGKILL');
  await expect(stopLocalCloud(home)).rejects.toMatchObject({
    code: 'LOCAL_STATE_NOT_SAVED',
    message: expect.stringMatching(/without saving its state.*next start finds is of \d{4}-/),
  });
  // What the one that was killed had begun to write.
  mkdirSync(join(home, 'emulator', 'state.partial'));
  writeFileSync(join(home, 'emulator', 'state.partial', 'sqs.json'), '{');
  expect(await queues(await start())).toEqual(['first']);
});

test('a stop that was cut off after it had written everything is finished by the next start', async () => {
  await create(await start(), 'first');
  await stopLocalCloud(home);
  copyFileSync(inState('sqs.json'), join(home, 'old.json'));
  await create(await start(), 'second');
  await stopLocalCloud(home);
  const written = join(home, 'emulator', 'state.written');
  mkdirSync(written);
  for (const name of readdirSync(inState('')))
    if (name.endsWith('.json')) renameSync(inState(name), join(written, name));
  copyFileSync(join(home, 'old.json'), inState('sqs.json'));
  expect((await queues(await start())).toSorted()).toEqual(['first', 'second']);
});

test('a start on damaged state ends with the file and what to do, and not with an empty account', async () => {
  await create(await start(), 'first');
  await stopLocalCloud(home);
  const whole = readFileSync(inState('sqs.json'), 'utf8');
  writeFileSync(inState('sqs.json'), whole.slice(0, -10));
  await expect(start()).rejects.toMatchObject({
    code: 'LOCAL_START_FAILED',
    message: expect.stringMatching(/sqs\.json is not the file that was saved; put .* aside/),
  });
  rmSync(inState('sqs.json'));
  await expect(start()).rejects.toMatchObject({ message: expect.stringMatching(/sqs\.json/) });
  writeFileSync(inState('sqs.json'), whole);
  expect(await queues(await start())).toEqual(['first']);
});
