import { machine, type State, type States, type TaskState } from '#local/statemachines/machines.ts';
import type { CallingState, MachineContract, StartingState } from '#statemachines/contract.ts';
import {
  at,
  elementOf,
  fewest,
  object,
  type Schema,
  samplesOf,
  schemaOf,
  TEXT,
  union,
  where,
  withField,
} from './_schemas.ts';

/** What a walk has found: the states it came through, what is wrong with them, and the document of each good ending. */
export interface Walk {
  readonly reached: ReadonlySet<string>;
  readonly problems: readonly string[];
  readonly endings: readonly Schema[];
}

/** Where a machine's context leads to; all of it is text. */
const CONTEXT = /^\$\$\.(Execution\.(Id|Name|StartTime)|State\.Name|Task\.Token)$/;
const ERROR = object({ Error: TEXT, Cause: TEXT });

/**
 * Goes each way that a machine can go, with what the states before have written as schemas: a Choice narrows them. What a
 * state reads must have been written on each way to it, and in each shape be what its function takes.
 */
export function walk(name: string, contract: MachineContract): Walk {
  const problems = new Set<string>();
  const reached = new Set<string>();
  const fits = new Set<string>();

  const follow = (start: string, states: States, input: Schema): Schema[] => {
    const endings: Schema[] = [];
    const seen = new Set<string>();
    const open: { at: string; document: Schema }[] = [{ at: start, document: input }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { at: here, document } = next;
      const key = `${here} ${JSON.stringify(document)}`;
      const state = states[here];
      if (state === undefined || seen.has(key)) continue;
      seen.add(key);
      reached.add(here);
      const go = (to: string | undefined, onward: Schema): void => {
        if (to === undefined) endings.push(onward);
        else open.push({ at: to, document: onward });
      };
      try {
        step(here, state, document, go);
      } catch (error) {
        problems.add(`${here}: ${(error as Error).message}`);
      }
    }
    return endings;
  };

  const step = (here: string, state: State, document: Schema, go: (to: string | undefined, on: Schema) => void) => {
    if ('Catch' in state)
      for (const { ResultPath, Next } of state.Catch ?? []) go(Next, placed(document, ResultPath, ERROR));
    switch (state.Type) {
      case 'Task':
        go(state.Next, placed(document, state.ResultPath, resultOf(here, state, document)));
        return;
      case 'Map': {
        const { StartAt, States } = state.ItemProcessor;
        const items = at(state.ItemsPath, document);
        const results = union(follow(StartAt, States, elementOf(items)));
        go(state.Next, placed(document, state.ResultPath, { type: 'array', minItems: fewest(items), items: results }));
        return;
      }
      case 'Pass':
        // Without parameters it passes on what it was given.
        go(
          state.Next,
          placed(document, state.ResultPath, state.Parameters ? filled(state.Parameters, document) : document),
        );
        return;
      case 'Wait':
        go(state.Next, document);
        return;
      case 'Succeed':
        go(undefined, document);
        return;
      case 'Fail':
        return;
      case 'Choice': {
        let left: Schema | undefined = document;
        for (const { Variable, StringEquals, Next } of state.Choices) {
          const taken = where(Variable, document, (value) => value === StringEquals);
          if (taken === undefined) continue;
          go(Next, taken);
          left = left && where(Variable, left, (value) => value !== StringEquals);
        }
        if (left !== undefined) go(state.Default, left);
        return;
      }
      default:
        state satisfies never;
    }
  };

  const resultOf = (here: string, state: TaskState, document: Schema): Schema => {
    const keeps: CallingState | StartingState | undefined = contract.states[here];
    if (keeps === undefined) throw new Error('no contract');
    const parameters = filled(state.Parameters, document);
    const wait = state.Resource.endsWith('.waitForTaskToken') ? '$.Payload.input' : '$.input';
    const [path, input] = 'starts' in keeps ? ['$.Input', keeps.starts.input] : [wait, keeps.input];
    const passed = at(path, parameters);
    const key = `${here} ${JSON.stringify(passed)}`;
    for (const sample of fits.has(key) ? [] : samplesOf(passed)) {
      const parsed = input.safeParse(sample);
      if (!parsed.success)
        throw new Error(`its function does not take ${JSON.stringify(sample)}: ${parsed.error.issues[0]?.message}`);
    }
    fits.add(key);
    const result = 'starts' in keeps ? childResult(keeps.starts) : schemaOf(keeps.answer ?? keeps.output);
    return state.ResultSelector === undefined ? result : filled(state.ResultSelector, result);
  };

  const { StartAt, States } = machine(name);
  const endings = follow(StartAt, States, schemaOf(contract.input));
  return { reached, problems: [...problems], endings };
}

/** What Step Functions says of a child execution that succeeded. */
function childResult(child: MachineContract): Schema {
  const { endings } = walk(child.name, child);
  return object({ Status: { const: 'SUCCEEDED' }, ExecutionArn: TEXT, Output: union(endings) });
}

function placed(document: Schema, path: string | null | undefined, result: Schema): Schema {
  if (path === undefined) return result;
  return path === null ? document : withField(document, path.slice('$.'.length), result);
}

function filled(template: object, document: Schema): Schema {
  return object(
    Object.fromEntries(
      Object.entries(template).map(([name, value]: [string, unknown]): [string, Schema] => {
        if (name.endsWith('.$')) return [name.slice(0, -2), evaluated(String(value), document)];
        return [name, typeof value === 'object' && value !== null ? filled(value, document) : { const: value }];
      }),
    ),
  );
}

function evaluated(expression: string, document: Schema): Schema {
  const formatted = /^States\.Format\('[^']*', (?<of>[^,]+)\)$/.exec(expression)?.groups?.['of'];
  if (formatted !== undefined) {
    evaluated(formatted, document);
    return TEXT;
  }
  if (!expression.startsWith('$$')) return at(expression, document);
  if (!CONTEXT.test(expression)) throw new Error(`${expression} is not in the context`);
  return expression.endsWith('StartTime') ? { type: 'string', format: 'date-time' } : TEXT;
}
