import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import validate from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkBindings } from '#lib/constructs/asl-state-machine.ts';
import { MACHINES as DEPLOYED } from '#domain/environment/environment.ts';
import { childOf, machine, type TaskState, textOf } from '#local/statemachines/machines.ts';
import { handlerTables, MACHINES, privilegeOf, reachable, statesOf } from './_machines.ts';

/** The states in which an execution may end well, or in a refusal: past participles. */
const ENDINGS = [
  'Accepted',
  'Changed',
  'Concluded',
  'Confirmed',
  'Drifted',
  'Found faulty',
  'Held',
  'Insufficient',
  'Left unchecked',
  'Not ready',
  'Skipped',
  'Offered',
  'Superseded',
  'Promoted',
  'Refused',
  'Rejected',
  'Reported',
  'Rolled back',
  'Skewed',
  'Stable',
  'Tested',
  'Verified',
  'Watched',
];
/** The states in which an execution fails: after a fault was recorded, or because what was promoted is not served. */
const FAILURES: Record<string, string[]> = { promotion: ['Failed', 'Rolled back', 'Not rolled back'] };
/** The state that writes down what went wrong. It has no Catch: what it cannot record, the execution recorder does. */
const RECORDING = 'Record failure';
/** Tasks that something else than a machine calls, an EventBridge rule or a schedule, with the folder of their use-case. */
const CALLED_BY_EVENTS: Readonly<Record<string, string>> = {
  'Check service level': 'inference',
  'Request reconciliation': 'inference',
  'Probe endpoints': 'alarm',
  'Tend incidents': 'incidents',
  'Supervise environment': 'supervision',
  'Check integrity': 'supervision',
};

const tables = handlerTables();
const every = MACHINES.flatMap((name) => statesOf(machine(name)).map((found) => ({ machine: name, ...found })));
const tasks = every.flatMap(({ state, ...rest }) => (state.Type === 'Task' ? [{ state, ...rest }] : []));

it('each machine is deployed in an environment', () => {
  expect(MACHINES.toSorted()).toEqual([...new Set(Object.values(DEPLOYED).flat())].toSorted());
});

describe.each(MACHINES)('%s', (name) => {
  const own = every.filter((found) => found.machine === name);

  it('is Amazon States Language, in the subset that is used here', () => {
    const bound = textOf(name).replaceAll(/\$\{(\w+)\}/g, 'arn:aws:lambda:us-east-1:111111111111:function:$1');
    const result = validate(z.record(z.string(), z.unknown()).parse(JSON.parse(bound)));
    expect(result.isValid ? '' : result.errorsText()).toBe('');
    expect(Object.keys(machine(name).States).length).toBeGreaterThan(3);
  });

  it('names each state once, and reaches each', () => {
    const names = own.map(({ name }) => name);
    expect(names.filter((each, index) => names.indexOf(each) !== index)).toEqual([]);
    const top = machine(name);
    expect(Object.keys(top.States).filter((each) => !reachable(top).has(each))).toEqual([]);
    for (const state of Object.values(top.States)) {
      if (state.Type !== 'Map') continue;
      const inner = Object.keys(state.ItemProcessor.States);
      expect(inner.filter((each) => !reachable(state.ItemProcessor).has(each))).toEqual([]);
    }
  });

  it('asks questions in its Choice states, and ends in past participles', () => {
    for (const { name: state, state: of } of own) {
      expect(state.endsWith('?'), state).toBe(of.Type === 'Choice');
      if (of.Type === 'Succeed') expect(ENDINGS).toContain(state);
      if (of.Type === 'Fail') expect(FAILURES[name] ?? ['Failed']).toContain(state);
    }
    expect(own.some(({ state }) => state.Type === 'Succeed')).toBe(true);
  });

  it('has placeholders for resources only, all of them bound or none', () => {
    const placeholders = [...new Set([...textOf(name).matchAll(/\$\{(\w+)\}/g)].map(([, each = '']) => each))];
    for (const placeholder of placeholders) expect(placeholder).toMatch(/(Function|Machine)$/);
    expect(() => checkBindings(name, textOf(name), placeholders)).not.toThrow();
    expect(() => checkBindings(name, textOf(name), placeholders.slice(1))).toThrow(/unbound/);
    expect(() => checkBindings(name, textOf(name), [...placeholders, 'StrayFunction'])).toThrow(/does not use/);
  });
});

/** The seconds that a policy waits at most, over all of its attempts. */
function longestDelay(policy: NonNullable<TaskState['Retry']>[number] | undefined): number {
  if (policy === undefined) return 0;
  const { IntervalSeconds, BackoffRate, MaxAttempts, MaxDelaySeconds = Infinity } = policy;
  return Array.from({ length: MaxAttempts }, (_, attempt) =>
    Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt),
  ).reduce((sum, delay) => sum + delay, 0);
}

describe('every Task', () => {
  it.each(tasks)('$machine: $name has a time-out', ({ state }) => {
    expect([state.TimeoutSeconds, state.TimeoutSecondsPath].filter((each) => each !== undefined)).toHaveLength(1);
  });

  it.each(tasks)('$machine: $name is tried again on faults only, and a child machine never', ({ state }) => {
    const policies = state.Retry ?? [];
    // A child execution records its own fault; a second one of the same name would be a second run.
    if (childOf(state) !== undefined) expect(policies).toEqual([]);
    else {
      // The first one that names an error counts: what Lambda could not begin, then what the function threw.
      const [lambda, thrown, ...more] = policies;
      expect(more).toEqual([]);
      expect(lambda?.ErrorEquals).toEqual([
        'Lambda.TooManyRequestsException',
        'Lambda.ServiceException',
        'Lambda.AWSLambdaException',
        'Lambda.SdkClientException',
      ]);
      expect(thrown?.ErrorEquals).toEqual(['States.TaskFailed']);
      // With full jitter a delay is half of its bound in the mean. No function runs for longer than fifteen minutes, so
      // that one that is in the way has ended; a fault of a function's own is told within ten minutes.
      expect(longestDelay(lambda) / 2).toBeGreaterThan(900);
      expect(longestDelay(thrown)).toBeLessThan(1200);
    }
  });

  it.each(tasks)(
    '$machine: $name leads every fault to a state that records it',
    ({ machine: of, name, state, map }) => {
      if (name === RECORDING) {
        expect(state.Catch).toBeUndefined();
        expect(state.Next).toBe('Failed');
        return;
      }
      const states = machine(of).States;
      const outer = map === undefined ? state : states[map];
      const caught = outer !== undefined && 'Catch' in outer ? (outer.Catch ?? []) : [];
      const all = caught.at(-1);
      expect(all?.ErrorEquals).toEqual(['States.ALL']);
      expect(all?.ResultPath).toBe('$.error');
      for (const other of caught.slice(0, -1)) expect(other.ErrorEquals).toEqual(['States.Timeout']);
      // What follows on a fault always comes to the recording state: directly, or by rolling back what was switched.
      const next = states[all?.Next ?? ''];
      const target = all?.Next === 'Roll back' && next?.Type === 'Task' ? next.Catch?.at(-1)?.Next : all?.Next;
      expect(target).toBe(RECORDING);
    },
  );

  it.each(tasks)('$machine: $name calls a task of its own name', ({ name, state }) => {
    const privilege = privilegeOf(state);
    if (privilege === undefined) {
      expect(MACHINES).toContain(childOf(state));
      return;
    }
    const payload = 'Payload' in state.Parameters ? state.Parameters['Payload'] : state.Parameters;
    expect(payload).toMatchObject({ 'task.$': '$$.State.Name' });
    expect(tables.get(privilege)?.tasks).toContain(name);
  });
});

describe.each([...tables])('the table of %s', (privilege, { tasks: known, text }) => {
  it('has no task that no state calls', () => {
    const called = tasks.filter(({ state }) => privilegeOf(state) === privilege).map(({ name }) => name);
    expect(known.length).toBeGreaterThan(0);
    expect(known.filter((task) => !called.includes(task) && CALLED_BY_EVENTS[task] === undefined)).toEqual([]);
  });

  it.each(known)('%s is made by the use-case whose file exports its contract', (task) => {
    const called = tasks.filter(({ name, state }) => name === task && privilegeOf(state) === privilege);
    // What events call has no machine, and a file of its own name.
    const folder = CALLED_BY_EVENTS[task];
    const files = folder
      ? [`${folder}/${task.toLowerCase().replaceAll(' ', '-')}`]
      : called.map(({ machine: of, name }) => contractFileOf(of, name));
    expect(files.length).toBeGreaterThan(0);
    const direct = useCasesIn(text);
    const imported = [...direct, ...direct.flatMap((file) => useCasesIn(useCase(file), dirname(file)))];
    for (const file of files) expect(imported, `${task}: ${file}`).toContain(file);
  });
});

/** The text of a use-case. */
function useCase(file: string): string {
  return readFileSync(new URL(`../../src/use-cases/${file}.ts`, import.meta.url), 'utf8');
}

/** The files of use-cases that a text imports, those of its own folder among them. */
function useCasesIn(text: string, folder = ''): string[] {
  const imports = [...text.matchAll(/from '(#use-cases|\.)\/([^']+)\.ts'/g)];
  return imports.map(([, from, file = '']) => (from === '.' ? `${folder}/${file}` : file));
}

/** The file from which a machine's contracts take that of a state. */
function contractFileOf(of: string, state: string): string {
  const text = readFileSync(new URL(`../../statemachines/${of}.contract.ts`, import.meta.url), 'utf8');
  const entry = text.slice(text.indexOf(`'${state}': {`));
  const contract = /\.\.\.(\w+)/.exec(entry)?.[1] ?? '';
  const imports = [...text.matchAll(/import \{([^}]+)\} from '#use-cases\/([^']+)\.ts'/g)];
  return imports.find(([, names = '']) => names.split(/[\s,]+/).includes(contract))?.[2] ?? `no file of ${contract}`;
}
