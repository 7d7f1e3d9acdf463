import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const FOLDER = new URL('../../statemachines/', import.meta.url);
const LAMBDAS = new URL('../../lambdas/', import.meta.url);

/** What Amazon States Language is used for here, and nothing else: a field that is not named is refused. */
const shared = { Comment: z.string().optional() };
const Parameters = z.record(z.string(), z.json());
const Retry = z.strictObject({
  ErrorEquals: z.array(z.string()).min(1),
  IntervalSeconds: z.int(),
  MaxAttempts: z.int(),
  MaxDelaySeconds: z.int().optional(),
  BackoffRate: z.number(),
  JitterStrategy: z.literal('FULL'),
});
const Catch = z.strictObject({ ErrorEquals: z.array(z.string()).min(1), ResultPath: z.string(), Next: z.string() });
const flow = {
  ResultPath: z.string().nullable().optional(),
  Next: z.string().optional(),
  End: z.literal(true).optional(),
};
const Task = z.strictObject({
  ...shared,
  ...flow,
  Type: z.literal('Task'),
  Resource: z.string(),
  Parameters,
  ResultSelector: Parameters.optional(),
  TimeoutSeconds: z.int().positive().optional(),
  TimeoutSecondsPath: z.string().optional(),
  Retry: z.array(Retry).optional(),
  Catch: z.array(Catch).optional(),
});
const Choice = z.strictObject({
  ...shared,
  Type: z.literal('Choice'),
  Choices: z.array(z.strictObject({ Variable: z.string(), StringEquals: z.string(), Next: z.string() })).min(1),
  Default: z.string(),
});
const Pass = z.strictObject({ ...shared, ...flow, Type: z.literal('Pass'), Parameters: Parameters.optional() });
const Wait = z.strictObject({ ...shared, Type: z.literal('Wait'), Seconds: z.int().positive(), Next: z.string() });
const Succeed = z.strictObject({ ...shared, Type: z.literal('Succeed') });
const Fail = z.strictObject({ ...shared, Type: z.literal('Fail'), Error: z.string(), Cause: z.string() });
const Leaf = z.discriminatedUnion('Type', [Task, Choice, Pass, Wait, Succeed, Fail]);
const MapState = z.strictObject({
  ...shared,
  ...flow,
  Type: z.literal('Map'),
  ItemsPath: z.string(),
  MaxConcurrency: z.int().positive(),
  ToleratedFailurePercentage: z.literal(0).optional(),
  ItemProcessor: z.strictObject({
    ProcessorConfig: z.union([
      z.strictObject({ Mode: z.literal('INLINE') }),
      z.strictObject({ Mode: z.literal('DISTRIBUTED'), ExecutionType: z.literal('STANDARD') }),
    ]),
    StartAt: z.string(),
    States: z.record(z.string(), Leaf),
  }),
  Catch: z.array(Catch).optional(),
});
const State = z.discriminatedUnion('Type', [Task, Choice, Pass, Wait, Succeed, Fail, MapState]);
const Machine = z.strictObject({ Comment: z.string(), StartAt: z.string(), States: z.record(z.string(), State) });

export type State = z.infer<typeof State>;
export type TaskState = z.infer<typeof Task>;
export type Machine = z.infer<typeof Machine>;
export type States = Readonly<Record<string, State>>;

/** The machines, by the names of their files. */
export const MACHINES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => file.slice(0, -'.asl.json'.length));

/** The text of a machine. */
export function textOf(machine: string): string {
  return readFileSync(new URL(`${machine}.asl.json`, FOLDER), 'utf8');
}

/** A machine, held against the subset of the language that is used. */
export function machine(name: string): Machine {
  return Machine.parse(JSON.parse(textOf(name)));
}

/** Every state of a machine, those inside its Maps included; `map` names the Map that a state is in. */
export function statesOf(machine: Machine): { name: string; state: State; map?: string; siblings: States }[] {
  return Object.entries(machine.States).flatMap(([name, state]) => [
    { name, state, siblings: machine.States },
    ...(state.Type === 'Map'
      ? Object.entries(state.ItemProcessor.States).map(([inner, of]) => ({
          name: inner,
          state: of,
          map: name,
          siblings: state.ItemProcessor.States,
        }))
      : []),
  ]);
}

/** The function that a Task calls, as the name of its folder below `lambdas/`; undefined for another machine. */
export function privilegeOf(state: TaskState): string | undefined {
  const target = state.Resource.startsWith('arn:aws:states:::lambda:invoke')
    ? z.string().parse(state.Parameters['FunctionName'])
    : state.Resource;
  const name = /^\$\{(\w+)Function\}$/.exec(target)?.[1];
  return name?.replaceAll(/(?<=.)(?=[A-Z])/g, '-').toLowerCase();
}

/** The machine that a Task starts and waits for. */
export function childOf(state: TaskState): string | undefined {
  if (!state.Resource.startsWith('arn:aws:states:::states:startExecution')) return undefined;
  const placeholder = /^\$\{(\w+)Machine\}$/.exec(z.string().parse(state.Parameters['StateMachineArn']))?.[1] ?? '';
  return placeholder.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

/** The handler tables: by function, the tasks that it knows, and the text that says how they are made. */
export function handlerTables(): Map<string, { tasks: string[]; text: string }> {
  const tables = new Map<string, { tasks: string[]; text: string }>();
  for (const privilege of readdirSync(LAMBDAS)) {
    const text = readFileSync(new URL(`${privilege}/index.ts`, LAMBDAS), 'utf8');
    const begin = text.indexOf('export const handler = tasks({');
    if (begin < 0) continue;
    const tasks = [...text.slice(begin).matchAll(/'([A-Z][a-z]+(?: [a-z]+)+)':/g)].map(([, name = '']) => name);
    tables.set(privilege, { tasks, text });
  }
  return tables;
}

/** Where a state may lead to. */
export function successorsOf(state: State): string[] {
  if (state.Type === 'Choice') return [...state.Choices.map(({ Next }) => Next), state.Default];
  const next = 'Next' in state && state.Next !== undefined ? [state.Next] : [];
  return 'Catch' in state ? [...next, ...(state.Catch ?? []).map(({ Next }) => Next)] : next;
}

/** What can be reached from a machine's beginning when some states, and whatever a Choice is forbidden, are not there. */
export function reachable(
  { StartAt, States: states }: { readonly StartAt: string; readonly States: States },
  without: { readonly states?: readonly string[]; readonly edges?: readonly (readonly [string, string])[] } = {},
): Set<string> {
  const found = new Set<string>();
  const open = [StartAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = states[name];
    if (found.has(name) || state === undefined || without.states?.includes(name) === true) continue;
    found.add(name);
    const from = name;
    const isOpen = (to: string): boolean => without.edges?.some(([a, b]) => a === from && b === to) !== true;
    open.push(...successorsOf(state).filter(isOpen));
  }
  return found;
}
