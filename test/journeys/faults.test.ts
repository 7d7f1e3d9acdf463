import { DescribeStateMachineCommand, StopExecutionCommand, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import { fenceOf, lockOf, pointerOf, predictionsOf, promotionsOf, runsOf } from '#cli/read.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { deafen } from './_hearing.ts';
import { FIRST, recorded, records, type Release, retrain, serves, settled } from './_lifecycle.ts';

/** What is made to fail: states of a machine, and `Record failure` with them where nobody but the recorder is to be left. */
// In a state that waits for a token the emulator keeps a function's error to itself (see docs/emulator.md): `Train window`
// and `Request approvals` are made to fail in process only.
const RETRAINING: readonly (readonly [string, ...string[]])[] = [
  ['Open retraining run', 'Record failure'],
  ['Plan windows'],
  ['Build daily partition'],
  ['Build feature partition'],
  ['Export training rows'],
  ['Package candidates'],
  ['Register candidate'],
];
const VALIDATION: readonly (readonly [string, ...string[]])[] = [
  ['Plan validation', 'Record failure'],
  ['Score release'],
  ['Measure comparison'],
  ['Evaluate gates'],
  ['Offer release'],
];
const PROMOTION: readonly (readonly [string, ...string[]])[] = [
  ['Open promotion', 'Record failure'],
  ['Pull release'],
  ['Verify release'],
  ['Plan comparison'],
  ['Score release'],
  ['Measure comparison'],
  ['Compare with champion'],
  ['Evaluate gates'],
  ['Prepare rollback target'],
  ['Commit promotion'],
];
const BATCH: readonly (readonly [string, ...string[]])[] = [
  ['Plan reconciliation', 'Record failure'],
  ['Build feature partition'],
  ['Score partition'],
  ['Publish predictions'],
];
const ROLLBACK: readonly (readonly [string, ...string[]])[] = [
  ['Choose target', 'Record failure'],
  ['Switch pointer'],
  ['Verify serving'],
];

type Where = 'dev' | 'staging';

let journey: Journey;
let pager: Readonly<Record<Where, Listener>>;
let release: Release;

beforeAll(async () => {
  journey = await openJourney({ environments: ['dev', 'staging', 'control'], waitScale: 0.005 });
  pager = { dev: await listen(journey, 'dev'), staging: await listen(journey, 'staging') };
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['dev', 'staging']);
});
afterAll(() => journey[Symbol.asyncDispose]());

test.each(RETRAINING)('a retraining run that fails in "%s" is recorded and alerted', async (...states) => {
  const run = runOf('run', states[0]);
  await failing('dev', 'retraining', states, async () => {
    const input = { model: MODEL, asOf: FIRST.asOf, trigger: 'person:someone', run };
    expect((await journey.ended('dev', await journey.start('dev', 'retraining', run, input))).status).toBe('FAILED');
    await isTold('dev', 'retraining', run);
  });
  const item = (await runsOf(journey.account('dev').ledger, MODEL)).find((each) => each.run === run);
  expect(item?.status).toBe(states[0] === 'Open retraining run' ? undefined : 'failed');
});

test('a validation that fails is a failure of the run that waits for it', async () => {
  const run = 'run-of-a-failed-validation';
  await failing('dev', 'validation', ['Plan validation'], async () => {
    const input = { model: MODEL, asOf: FIRST.asOf, trigger: 'person:someone', run };
    expect((await journey.ended('dev', await journey.start('dev', 'retraining', run, input))).status).toBe('FAILED');
    await isTold('dev', 'validation', run);
    await isTold('dev', 'retraining', run);
  });
});

test('after all of it a run goes through, whose offer staging does not hear of yet', async () => {
  await settled(journey, ['dev', 'staging']);
  await deafen(journey, 'staging', 'dev');
  const { status, conclusion } = await retrain(journey, FIRST.asOf);
  expect(status).toBe('offered');
  release = { release: String(conclusion.release), version: detailsOf(conclusion, 'RELEASE_OFFERED').version };
});

test.each(VALIDATION)('a validation that fails in "%s" is recorded and alerted', async (...states) => {
  const run = runOf('validation', states[0]);
  await failing('dev', 'validation', states, async () => {
    const input = { model: MODEL, run, asOf: FIRST.asOf, candidates: [release] };
    expect((await journey.ended('dev', await journey.start('dev', 'validation', run, input))).status).toBe('FAILED');
    await isTold('dev', 'validation', run);
  });
});

test.each(PROMOTION)(
  'a promotion that fails in "%s" is recorded and alerted, and leaves no lock',
  async (...states) => {
    const { ledger } = journey.account('staging');
    await failing('staging', 'promotion', states, async () => {
      const before = (await records(journey, 'staging', 'PROMOTION_FAILED')).length;
      // The offer opens the first promotion; each further one is asked for by a person.
      if (states[0] === 'Open promotion') await journey.invoke('staging', 'reconciler');
      else await journey.refused(['promote', release.release, '--to', 'staging'], 'maya');
      const failed = await newest('PROMOTION_FAILED', before);
      await pager.staging.hears('PROMOTION_FAILED', ({ seq }) => seq === failed.seq);
    });
    const open = (await promotionsOf(ledger, MODEL)).filter(({ status }) => status === 'open');
    expect(open).toEqual([]);
    expect((await lockOf(ledger, MODEL))?.promotion ?? null).toBe(null);
  },
);

test('after all of it the release is let in', async () => {
  await journey.run(z.unknown(), ['promote', release.release, '--to', 'staging'], 'maya');
  await serves(journey, 'staging', release);
  await settled(journey, ['dev', 'staging', 'control']);
});

test.each(BATCH)(
  'a batch run that fails in "%s" is recorded and alerted, and readers keep what they had',
  async (...states) => {
    const { ledger } = journey.account('staging');
    const before = await predictionsOf(ledger, MODEL);
    await failing('staging', 'batch-inference', states, async () => {
      const known = (await records(journey, 'staging', 'RUN_FAILED')).length;
      // New data starts a run by itself; the others find what it has left undone.
      if (states[0] === 'Build feature partition')
        await journey.land({ from: FIRST.from, until: '2026-01-28' }, ['staging']);
      else await journey.start('staging', 'batch-inference', runOf('batch', states[0]), batchInput(states[0]));
      const failed = await newest('RUN_FAILED', known);
      expect(failed.details).toMatchObject({ machine: 'batch-inference' });
      await pager.staging.hears('RUN_FAILED', ({ seq }) => seq === failed.seq);
    });
    expect(await predictionsOf(ledger, MODEL)).toEqual(before);
  },
);

test('a batch run that somebody stops is recorded, and keeps no later one from its work', async () => {
  const { aws, ledger } = journey.account('staging');
  const run = runOf('batch', 'stopped');
  await changing('staging', 'batch-inference', waitingInsteadOf('Score partitions'), async () => {
    const executionArn = await journey.start('staging', 'batch-inference', run, batchInput('stopped'));
    await eventually('the run to hold the fence', async () =>
      (await fenceOf(ledger, MODEL))?.running === run ? run : undefined,
    );
    await aws.sfn().send(new StopExecutionCommand({ executionArn, cause: 'a person had second thoughts' }));
    await isTold('staging', 'batch-inference', run);
  });
  const asked = { task: 'Request reconciliation', input: { model: MODEL, trigger: 'person:someone' } };
  expect(await journey.invoke('staging', 'reconciliation', asked)).toMatchObject({ status: 'started' });
  await settled(journey, ['staging']);
  expect((await predictionsOf(ledger, MODEL)).at(-1)?.day).toBe('2026-01-27');
});

test.each(ROLLBACK)('a rollback that fails in "%s" is recorded and alerted', async (...states) => {
  const rollback = runOf('back', states[0]);
  const { ledger } = journey.account('staging');
  const { current: from, epoch } = (await pointerOf(ledger, MODEL)) ?? {};
  const input = { model: MODEL, reason: 'a drill', actor: 'person:someone', rollback, from, epoch };
  await failing('staging', 'rollback', states, async () => {
    const arn = await journey.start('staging', 'rollback', rollback, input);
    expect((await journey.ended('staging', arn)).status).toBe('FAILED');
    await isTold('staging', 'rollback', rollback);
  });
  // Production went back before anything else could fail; the same rollback again does what was left.
  const isBack = states[0] === 'Verify serving';
  expect((await pointerOf(ledger, MODEL))?.version).toBe(isBack ? '0.1.0' : release.version);
  if (!isBack) return;
  const again = await journey.start('staging', 'rollback', `${rollback}-again`, input);
  expect((await journey.ended('staging', again)).status).toBe('SUCCEEDED');
  expect(await records(journey, 'staging', 'RELEASE_ROLLED_BACK')).toHaveLength(1);
  expect(await records(journey, 'staging', 'INCIDENT_OPENED')).toHaveLength(1);
});

test('what exists keeps every invariant', async () => {
  await settled(journey, ['dev', 'staging', 'control']);
  expect(await journey.fsck()).toEqual([]);
});

function runOf(kind: string, state: string | undefined): string {
  return `${kind}-${(state ?? 'nothing').toLowerCase().replaceAll(' ', '-')}`;
}

function batchInput(state: string | undefined): object {
  return { model: MODEL, run: runOf('batch', state), trigger: 'person:someone' };
}

/** The newest record of a kind in staging, once there is one more. */
function newest(code: 'PROMOTION_FAILED' | 'RUN_FAILED', known: number): Promise<AuditRecord> {
  return eventually(`one more ${code}`, async () => (await records(journey, 'staging', code))[known]);
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
  const spoil = (definition: StateMachine): number => {
    let spoiled = 0;
    for (const [name, state] of Object.entries(definition.States)) {
      if (state.ItemProcessor !== undefined) spoiled += spoil(state.ItemProcessor);
      if (!states.includes(name)) continue;
      const parameters = (state.Parameters?.['Payload'] ?? state.Parameters) as Record<string, unknown>;
      delete parameters['task.$'];
      parameters['task'] = 'Fail';
      spoiled += 1;
    }
    return spoiled;
  };
  return changing(environment, machine, (definition) => expect(spoil(definition)).toBe(states.length), work);
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
