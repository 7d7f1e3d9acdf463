import { DescribeStateMachineCommand, StopExecutionCommand, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPointer } from '#read-model/pointer.ts';
import { readFence, readPredictions } from '#read-model/predictions.ts';
import { readLock, readPromotions } from '#read-model/promotions.ts';
import { readRuns } from '#read-model/runs.ts';
import { eventually, freshCloud } from '../_helpers/cloud.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, journeyIn, MODEL, openJourney } from './_harness.ts';
import { FIRST, offeredRelease, recorded, records, type Release, settled } from './_lifecycle.ts';

// One fault per kind of Catch: a state's, a Map's, that of a machine that waits for another one, that of a promotion, and
// none at all, where the recorder fails as well or somebody stops the execution. test/use-cases fails every state.

type Where = 'dev' | 'staging' | 'prod';

let journey: Journey;
let pager: Readonly<Record<Where, Listener>>;
let release: Release;

beforeAll(async () => {
  journey = await openJourney('candidate', { waitScale: 0.005 });
  pager = {
    dev: await listen(journey, 'dev'),
    staging: await listen(journey, 'staging'),
    prod: await listen(journey, 'prod'),
  };
  release = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

test.each([['Plan windows'], ['Open retraining run', 'Record failure']] as const)(
  'a retraining run that fails in "%s" is recorded and alerted, also where its recorder fails',
  async (...states) => {
    const run = runOf('run', states[0]);
    await failing('dev', 'retraining', states, async () => {
      await failsToRetrain(run);
      await isTold('dev', 'retraining', run);
    });
    const item = (await readRuns(journey.account('dev').ledger, MODEL)).find((each) => each.run === run);
    expect(item?.status).toBe(states[0] === 'Open retraining run' ? undefined : 'failed');
  },
);

test('a machine that fails is a failure of the run that waits for it', async () => {
  const run = 'run-of-a-failed-check';
  await failing('dev', 'data-quality', ['Plan data check'], async () => {
    await failsToRetrain(run);
    await isTold('dev', 'retraining', run);
  });
  const failures = (await records(journey, 'dev', 'RUN_FAILED')).map(({ details }) => details['machine']);
  expect(failures).toContain('data-quality');
});

test('a promotion that fails is recorded and alerted, and leaves no lock', async () => {
  const { ledger } = journey.account('prod');
  await failing('prod', 'promotion', ['Pull release'], async () => {
    await journey.refused(['promote', release.release, '--to', 'prod'], 'maya');
    const failed = await recorded(journey, 'prod', 'PROMOTION_FAILED');
    await pager.prod.hears('PROMOTION_FAILED', ({ seq }) => seq === failed.seq);
  });
  const open = (await readPromotions(ledger, MODEL)).filter(({ status }) => status === 'open');
  expect(open).toEqual([]);
  expect((await readLock(ledger, MODEL))?.promotion ?? null).toBe(null);
});

test('a batch run that fails in a Map is recorded and alerted, and readers keep what they had', async () => {
  const { ledger } = journey.account('staging');
  const before = await readPredictions(ledger, MODEL);
  await failing('staging', 'batch-inference', ['Score partition'], async () => {
    // New data starts a run by itself.
    await journey.land({ from: FIRST.from, until: '2026-01-28' }, ['staging']);
    const failed = await recorded(journey, 'staging', 'RUN_FAILED');
    expect(failed.details).toMatchObject({ machine: 'batch-inference' });
    await pager.staging.hears('RUN_FAILED', ({ seq }) => seq === failed.seq);
  });
  expect(await readPredictions(ledger, MODEL)).toEqual(before);
});

test('a batch run that somebody stops is recorded, and keeps no later one from its work', async () => {
  const { aws, ledger } = journey.account('staging');
  const run = runOf('batch', 'stopped');
  await changing('staging', 'batch-inference', waitingInsteadOf('Score partitions'), async () => {
    const executionArn = await journey.start('staging', 'batch-inference', run, batchInput('stopped'));
    await eventually('the run to hold the fence', async () =>
      (await readFence(ledger, MODEL))?.running === run ? run : undefined,
    );
    await aws.sfn().send(new StopExecutionCommand({ executionArn, cause: 'a person had second thoughts' }));
    await isTold('staging', 'batch-inference', run);
  });
  const asked = { task: 'Request reconciliation', input: { model: MODEL, trigger: 'person:someone' } };
  expect(await journey.invoke('staging', 'prediction-store', asked)).toMatchObject({ status: 'started' });
  await settled(journey, ['staging']);
  expect((await readPredictions(ledger, MODEL)).at(-1)?.day).toBe('2026-01-27');
});

test('a rollback that fails has gone back before anything else could fail; asked again it does what was left', async () => {
  const rollback = 'back-unverified';
  const { ledger } = journey.account('staging');
  const { current: from, epoch } = (await readPointer(ledger, MODEL)) ?? {};
  const input = { model: MODEL, reason: 'a drill', actor: 'person:someone', rollback, from, epoch };
  await failing('staging', 'rollback', ['Verify serving'], async () => {
    const arn = await journey.start('staging', 'rollback', rollback, input);
    expect((await journey.ended('staging', arn)).status).toBe('FAILED');
    await isTold('staging', 'rollback', rollback);
  });
  expect((await readPointer(ledger, MODEL))?.version).toBe('0.1.0');
  const again = await journey.start('staging', 'rollback', `${rollback}-again`, input);
  expect((await journey.ended('staging', again)).status).toBe('SUCCEEDED');
  expect(await records(journey, 'staging', 'RELEASE_ROLLED_BACK')).toHaveLength(1);
  const opened = await records(journey, 'staging', 'INCIDENT_OPENED');
  expect(opened.filter(({ details }) => details['kind'] === 'rollback')).toHaveLength(1);
});

test('an environment that is not deployed is named', async () => {
  await using empty = await freshCloud();
  const nowhere = journeyIn(empty);
  expect(await nowhere.refused(['rollback', MODEL, '--env', 'prod', '--reason', 'it is wrong'])).toMatchObject({
    rule: 'environment-deployed',
    found: 'prod is not deployed',
  });
  expect(await nowhere.refused(['login'])).toMatchObject({ rule: 'environment-deployed' });
});

test('what exists keeps every invariant', async () => {
  await settled(journey);
  expect(await journey.fsck()).toEqual([]);
});

/** A retraining run that must fail. */
async function failsToRetrain(run: string): Promise<void> {
  const input = { model: MODEL, asOf: FIRST.asOf, trigger: 'person:someone', run };
  expect((await journey.ended('dev', await journey.start('dev', 'retraining', run, input))).status).toBe('FAILED');
}

function runOf(kind: string, state: string | undefined): string {
  return `${kind}-${(state ?? 'nothing').toLowerCase().replaceAll(' ', '-')}`;
}

function batchInput(state: string | undefined): object {
  return { model: MODEL, run: runOf('batch', state), trigger: 'person:someone' };
}

/** The failure of a run is in the chain, once, and people have heard of it. */
async function isTold(environment: Where, machine: string, run: string): Promise<void> {
  const isIt = ({ details }: { readonly details: Readonly<Record<string, unknown>> }): boolean =>
    details['machine'] === machine && details['run'] === run;
  const { details } = await recorded(journey, environment, 'RUN_FAILED', isIt);
  expect((await pager[environment].hears('RUN_FAILED', isIt)).details).toEqual(details);
  expect((await records(journey, environment, 'RUN_FAILED')).filter(isIt)).toHaveLength(1);
}

interface StateMachine {
  States: Record<
    string,
    { Parameters?: Record<string, unknown>; ItemProcessor?: StateMachine; [field: string]: unknown }
  >;
}

/** Does something while some states of a deployed machine ask their function for what it does not know: it throws. */
function failing(
  environment: Where,
  machine: string,
  states: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  const breakStates = (definition: StateMachine): number => {
    let broken = 0;
    for (const [name, state] of Object.entries(definition.States)) {
      if (state.ItemProcessor !== undefined) broken += breakStates(state.ItemProcessor);
      if (!states.includes(name)) continue;
      const parameters = (state.Parameters?.['Payload'] ?? state.Parameters) as Record<string, unknown>;
      delete parameters['task.$'];
      parameters['task'] = 'Fail';
      broken += 1;
    }
    return broken;
  };
  return changing(environment, machine, (definition) => expect(breakStates(definition)).toBe(states.length), work);
}

/** A state that never ends in the place of another one. */
function waitingInsteadOf(name: string): (definition: StateMachine) => void {
  return ({ States: states }) => {
    states[name] = { Type: 'Wait', Seconds: 3_000_000, Next: states[name]?.['Next'] };
  };
}

/** Does something while a deployed machine is another one than it should be. */
async function changing(
  environment: Where,
  machine: string,
  change: (definition: StateMachine) => void,
  work: () => Promise<void>,
): Promise<void> {
  const { aws, names } = journey.account(environment);
  const stateMachineArn = names.stateMachineArn(machine);
  const { definition = '' } = await aws.sfn().send(new DescribeStateMachineCommand({ stateMachineArn }));
  const changed = JSON.parse(definition) as StateMachine;
  change(changed);
  await aws.sfn().send(new UpdateStateMachineCommand({ stateMachineArn, definition: JSON.stringify(changed) }));
  try {
    await work();
  } finally {
    await aws.sfn().send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
  }
}
