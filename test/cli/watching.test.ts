import type { Environment } from '#domain/environment/environment.ts';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { run as status } from '#cli/commands/status/status.ts';
import { run as watch } from '#cli/commands/run/watch.ts';
import { executionArn } from '#cli/executions.ts';
import { keys } from '#domain/ledger/keys.ts';

import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { admissible } from '../domain/promotion/_case.ts';
import { fill, testContext } from './_context.ts';

const MODEL = 'flight-delay';
const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 2, 11, minute));
const entered = (id: number, minute: number, name: string, input: object = {}): HistoryEvent => ({
  id,
  previousEventId: id - 1,
  type: 'TaskStateEntered',
  timestamp: at(minute),
  stateEnteredEventDetails: { name, input: JSON.stringify(input) },
});
const exited = (id: number, minute: number, name: string): HistoryEvent => ({
  id,
  previousEventId: id - 1,
  type: 'TaskStateExited',
  timestamp: at(minute),
  stateExitedEventDetails: { name },
});
const arnOf = (environment: Environment, machine: string, name: string): string =>
  executionArn({ names: namesOf(config, environment) }, machine, name);

it('a run is watched until it ends, in words of what it does', async () => {
  const test = testContext({ model: MODEL, run: 'r1', machine: 'batch-inference' }, { env: 'prod' });
  const begun = [
    entered(1, 50, 'Plan reconciliation'),
    exited(2, 51, 'Plan reconciliation'),
    entered(3, 51, 'Score partitions', { planned: { scoreBatches: [{}, {}, {}] } }),
  ];
  const ended = [
    ...begun,
    exited(4, 53, 'Score partitions'),
    { id: 5, previousEventId: 4, type: 'ExecutionSucceeded', timestamp: at(53) } as const,
  ];
  test.executionsOf('prod').set(arnOf('prod', 'batch-inference', 'r1'), {
    input: { model: MODEL, run: 'r1' },
    looks: [
      { status: 'RUNNING', events: begun },
      { status: 'SUCCEEDED', events: ended, output: { report: 'done' } },
    ],
  });
  await watch(test.context);
  expect(test.notes).toEqual([
    '  . planning what has to be scored (1 min 0 s)',
    '    scoring partition batches 0 of 3',
    '  . scoring partition batches 3 of 3 (2 min 0 s)',
  ]);
  expect(test.text()).toMatch(/Score partitions +scoring partition batches 3 of 3 +done +2 min 0 s/);
  expect(JSON.parse(test.text('json'))).toMatchObject({
    status: 'SUCCEEDED',
    output: { report: 'done' },
    progress: { milliseconds: 180_000, steps: [{ status: 'done' }, { state: 'Score partitions', done: 3, total: 3 }] },
  });
});

it('an execution that does not exist is refused', async () => {
  const test = testContext({ model: MODEL, run: 'r2', machine: 'rollback' }, { env: 'prod' });
  await expect(watch(test.context)).rejects.toMatchObject({ refusal: { rule: 'execution-known' } });
});

it('what is at work has a line in the status: what it does, for whom it waits, and what comes then', async () => {
  const test = testContext({ model: MODEL });
  const { promotion: opened } = admissible();
  const promotion = { ...opened, model: MODEL };
  const name = promotion.promotion;
  await fill(test.ledgerOf('prod'), [
    {
      ...keys.promotion(MODEL, name),
      ...promotion,
      approvalRequest: { ...promotion.approvalRequest, expiresAt: '2026-03-04T12:00:00.000Z' },
    },
  ]);
  test.executionsOf('prod').set(arnOf('prod', 'promotion', name), {
    input: { model: MODEL },
    looks: [{ status: 'RUNNING', events: [entered(1, 55, 'Request approvals')] }],
  });
  const run = arnOf('dev', 'retraining', 'r3');
  const input = { model: MODEL, AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: run };
  test.executionsOf('dev').set(run, {
    input: { model: MODEL, run: 'r3' },
    looks: [{ status: 'RUNNING', events: [entered(1, 58, 'Validate candidates')] }],
  });
  test.executionsOf('dev').set(arnOf('dev', 'validation', 'child'), {
    input,
    looks: [{ status: 'RUNNING', events: [entered(1, 59, 'Evaluate gates')] }],
  });
  test.executionsOf('dev').set(arnOf('dev', 'retraining', 'of-another-model'), {
    input: { model: 'churn' },
    looks: [{ status: 'RUNNING', events: [entered(1, 59, 'Plan windows')] }],
  });
  await status(test.context);
  const needed = promotion.approvals.map(({ role, count }) => `${count} of ${role}`).join(' and ');
  const lines = test.text().split('\n');
  const begin = lines.indexOf('running');
  expect(lines.slice(begin + 2, begin + 4).map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'dev | retraining | r3 | 2:00 | validating the candidates: evaluating the gates, 2:00 | -',
    `prod | promotion | ${name} | 5:00 | waiting for approval by ${needed} since 2026-03-02 11:55Z | planning the daily aggregates that its endpoint loads`,
  ]);
  expect(JSON.parse(test.text('json'))).toMatchObject({
    models: [
      {
        atWork: [
          { environment: 'dev', execution: 'r3' },
          { environment: 'prod', machine: 'promotion' },
        ],
      },
    ],
  });
});
