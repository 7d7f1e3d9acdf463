import { isDeepStrictEqual } from 'node:util';
import { childOf, machine, type State, type States, type TaskState } from './machines.ts';

type Json = unknown;
type Document = Record<string, Json>;

/** A task's call, as the function or the child machine gets it. */
export interface Call {
  readonly state: string;
  /** The payload of a function, the input of a child machine. */
  readonly payload: Document;
  /** The machine that is started, where the task starts one. */
  readonly child?: string;
  /** The token that the task waits with, where it waits. */
  readonly token?: string;
  /** How often this state has been called before in this execution, the repetitions of a fault left out. */
  readonly visit: number;
}

/** An error that a task ends with, by its name in the language. */
export class TaskError extends Error {
  readonly error: string;

  constructor(error: string, cause = 'planted') {
    super(cause);
    this.error = error;
  }
}

export interface Execution {
  /** The states in the order in which they were entered; those inside a Map follow it. */
  readonly path: readonly string[];
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly document: Document;
  readonly error?: string;
  readonly calls: readonly Call[];
}

/** Step Functions takes documents of at most 256 KB between states. */
const MAX_DOCUMENT = 256 * 1024;
const MAX_STEPS = 1000;

/**
 * Runs a machine in process, its Maps item by item. It is stricter than the service: a path that leads to nothing, a Choice on
 * something that is not text, a field outside of the subset or a document that is too large is a fault of the caller's,
 * which no state catches.
 */
export async function execute(
  name: string,
  input: Document,
  answer: (call: Call) => Json,
  execution = `${name}-execution`,
): Promise<Execution> {
  const { StartAt, States } = machine(name);
  const path: string[] = [];
  const calls: Call[] = [];
  const visits = new Map<string, number>();

  const runTask = async (state: TaskState, at: string, document: Json): Promise<Json> => {
    const child = childOf(state);
    const waits = state.Resource.endsWith('.waitForTaskToken');
    const visit = visits.get(at) ?? 0;
    visits.set(at, visit + 1);
    if (state.TimeoutSecondsPath !== undefined && typeof read(state.TimeoutSecondsPath, document, at) !== 'number')
      throw new Error(`${at}: ${state.TimeoutSecondsPath} is not a number of seconds`);
    const retried = new Map<object, number>();
    for (let attempt = 1; ; attempt += 1) {
      const token = `${execution}: ${at} ${visit}.${attempt}`;
      const context = {
        Execution: { Id: `arn:${execution}`, Name: execution, StartTime: '2026-03-02T09:00:00.000Z' },
        State: { Name: at },
        Task: { Token: token },
      };
      const filled = fill(state.Parameters, document, context, at);
      const payload = object(waits ? filled['Payload'] : child === undefined ? filled : filled['Input'], at);
      const call: Call = {
        state: at,
        payload,
        visit,
        ...(child === undefined ? {} : { child }),
        ...(waits ? { token } : {}),
      };
      calls.push(call);
      try {
        const result = await answer(call);
        const selected = state.ResultSelector === undefined ? result : fill(state.ResultSelector, result, context, at);
        return place(document, state.ResultPath, selected, at);
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        const policy = (state.Retry ?? []).find(({ ErrorEquals }) => isCaught(error.error, ErrorEquals));
        if (policy === undefined) throw error;
        // Each policy counts its own attempts.
        const count = (retried.get(policy) ?? 0) + 1;
        if (count > policy.MaxAttempts) throw error;
        retried.set(policy, count);
      }
    }
  };

  const step = async (state: State, at: string, document: Json): Promise<Json> => {
    switch (state.Type) {
      case 'Task':
        return runTask(state, at, document);
      case 'Map': {
        const items = read(state.ItemsPath, document, at);
        if (!Array.isArray(items)) throw new Error(`${at}: ${state.ItemsPath} is no array`);
        const results: Json[] = [];
        for (const item of items)
          results.push(await run(state.ItemProcessor.StartAt, state.ItemProcessor.States, item));
        return place(document, state.ResultPath, results, at);
      }
      case 'Pass':
        return state.Parameters === undefined
          ? document
          : place(document, state.ResultPath, fill(state.Parameters, document, {}, at), at);
      case 'Wait':
        if (state.SecondsPath !== undefined && !(Number(read(state.SecondsPath, document, at)) > 0))
          throw new Error(`${at}: ${state.SecondsPath} is not a number of seconds`);
        return document;
      case 'Choice':
      case 'Succeed':
      case 'Fail':
        return document;
      default:
        return state satisfies never;
    }
  };

  const run = async (start: string, states: States, input: Json): Promise<Json> => {
    let document = input;
    let next: string | undefined = start;
    while (next !== undefined) {
      const at: string = next;
      path.push(at);
      if (path.length > MAX_STEPS) throw new Error(`${name} does not end: ${path.slice(-12).join(' > ')}`);
      const state: State | undefined = states[at];
      if (state === undefined) throw new Error(`${name} has no state "${at}"`);
      try {
        document = await step(state, at, document);
        if (JSON.stringify(document).length > MAX_DOCUMENT) throw new Error(`${at}: the document is too large`);
        if (state.Type === 'Fail') throw new TaskError(state.Error, state.Cause);
        next = state.Type === 'Choice' ? choose(state, document, at) : 'Next' in state ? state.Next : undefined;
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        const caught = ('Catch' in state ? (state.Catch ?? []) : []).find(({ ErrorEquals }) =>
          isCaught(error.error, ErrorEquals),
        );
        if (caught === undefined) throw error;
        document = place(document, caught.ResultPath, { Error: error.error, Cause: error.message }, at);
        next = caught.Next;
      }
    }
    return document;
  };

  try {
    const document = object(await run(StartAt, States, input), name);
    return { path, status: 'SUCCEEDED', document, calls };
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    return { path, status: 'FAILED', document: {}, error: error.error, calls };
  }
}

/** States.TaskFailed stands for every error but States.Timeout; States.ALL for every one. */
function isCaught(error: string, patterns: readonly string[]): boolean {
  return patterns.some(
    (pattern) =>
      pattern === error || pattern === 'States.ALL' || (pattern === 'States.TaskFailed' && error !== 'States.Timeout'),
  );
}

function choose(state: Extract<State, { Type: 'Choice' }>, document: Json, at: string): string {
  for (const { Variable, StringEquals, Next } of state.Choices) {
    const value = read(Variable, document, at);
    if (typeof value !== 'string') throw new Error(`${at}: ${Variable} is not text`);
    if (value === StringEquals) return Next;
  }
  return state.Default;
}

/** Fills a template: names that end in `.$` hold a path, a path of the context, or a format. */
function fill(template: Json, document: Json, context: Document, at: string): Document {
  const entries = Object.entries(object(template, at)).map(([name, value]): [string, Json] => {
    if (name.endsWith('.$')) return [name.slice(0, -2), evaluate(String(value), document, context, at)];
    return [
      name,
      typeof value === 'object' && value !== null && !Array.isArray(value) ? fill(value, document, context, at) : value,
    ];
  });
  return Object.fromEntries(entries);
}

function evaluate(expression: string, document: Json, context: Document, at: string): Json {
  const format = /^States\.Format\('(?<text>[^']*)', (?<of>[^,]+)\)$/.exec(expression)?.groups;
  if (format === undefined) {
    return expression.startsWith('$$') ? read(expression.slice(1), context, at) : read(expression, document, at);
  }
  const value = evaluate(format['of'] ?? '', document, context, at);
  if (typeof value !== 'string') throw new Error(`${at}: ${expression} formats what is not text`);
  return (format['text'] ?? '').replace('{}', value);
}

/** What is at a path such as `$.planned.kind`. */
function read(path: string, document: Json, at: string): Json {
  if (!/^\$(\.\w+)*$/.test(path)) throw new Error(`${at}: the path ${path} is outside of the subset`);
  let found: Json = document;
  for (const name of path.split('.').slice(1)) {
    if (typeof found !== 'object' || found === null || !(name in found))
      throw new Error(`${at}: ${path} leads to nothing`);
    found = object(found, at)[name];
  }
  return structuredClone(found);
}

/** The document with a result added under one name; the whole result where no place is said, and none where there is no place. */
function place(document: Json, path: string | null | undefined, result: Json, at: string): Json {
  // What cannot be said in JSON would be lost between states.
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(result)), result)) throw new Error(`${at}: the result is not JSON`);
  if (path === undefined) return result;
  if (path === null) return document;
  const name = /^\$\.(\w+)$/.exec(path)?.[1];
  if (name === undefined) throw new Error(`${at}: the path ${path} is outside of the subset`);
  return { ...object(document, at), [name]: result };
}

function object(value: Json, at: string): Document {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at}: expected an object`);
  return Object.fromEntries(Object.entries(value));
}
