import { z } from 'zod';

const State = z.object({
  Type: z.string(),
  Resource: z.string().optional(),
  Parameters: z.record(z.string(), z.unknown()).optional(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  Seconds: z.number().optional(),
  TimeoutSeconds: z.number().optional(),
  TimeoutSecondsPath: z.string().optional(),
  Choices: z.array(z.object({ StringEquals: z.string(), Next: z.string() })).optional(),
  Catch: z.array(z.object({ ErrorEquals: z.array(z.string()), Next: z.string() })).optional(),
  get ItemProcessor() {
    return Machine.optional();
  },
});
type State = z.infer<typeof State>;

const Machine = z.object({ StartAt: z.string(), States: z.record(z.string(), State) });
export type Machine = z.infer<typeof Machine>;

/** The states of a machine, as its file says. */
export function parseMachine(text: string): Machine {
  return Machine.parse(JSON.parse(text));
}

/** Every state's name, those inside of Maps as well. */
export function stateNames(machine: Machine): string[] {
  return Object.entries(machine.States).flatMap(([name, { ItemProcessor: inner }]) => [
    name,
    ...(inner === undefined ? [] : stateNames(inner)),
  ]);
}

/** The state that every fault leads to: its arrows would hide all others. */
const FAULTS = 'Record failure';

interface Edge {
  readonly to: string;
  readonly label: string;
}

/**
 * A machine as a Mermaid state diagram. A Pass only renames what was found, so it is a label on the arrow that goes
 * through it; faults are left out, because every one of them leads to the same state.
 */
export function machineDiagram({ StartAt: start, States: states }: Machine): string {
  const shown = Object.keys(states).filter((name) => states[name]?.Type !== 'Pass');
  const ids = new Map(shown.map((name, index) => [name, `s${index}`]));
  const id = (name: string): string => ids.get(name) ?? '[*]';
  const lines = shown.map((name) => `  state "${titleOf(name, states[name])}" as ${id(name)}`);
  const arrows = shown.flatMap((name) =>
    edgesOf(states[name])
      .map((edge) => throughPasses(states, edge))
      .map(({ to, label }) => `  ${id(name)} --> ${id(to)}${label === '' ? '' : `: ${label}`}`),
  );
  const ends = shown
    .filter((name) => ['Succeed', 'Fail'].includes(states[name]?.Type ?? ''))
    .map((name) => `  ${id(name)} --> [*]`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, `  [*] --> ${id(start)}`, ...arrows, ...ends, '```'].join('\n');
}

function titleOf(name: string, state: State | undefined): string {
  const inner = state?.ItemProcessor;
  return inner === undefined ? name : `${name} (each: ${stateNames(inner).join(', ')})`;
}

function edgesOf(state: State | undefined): readonly Edge[] {
  if (state === undefined) return [];
  return [
    ...(state.Choices ?? []).map(({ StringEquals: label, Next: to }) => ({ to, label })),
    ...(state.Default === undefined ? [] : [{ to: state.Default, label: 'otherwise' }]),
    ...(state.Next === undefined ? [] : [{ to: state.Next, label: '' }]),
    ...(state.Catch ?? [])
      .filter(({ Next: to }) => to !== FAULTS)
      .map(({ ErrorEquals: errors, Next: to }) => ({ to, label: errors.join(', ') })),
  ];
}

function throughPasses(states: Machine['States'], { to, label }: Edge): Edge {
  const state = states[to];
  if (state?.Type !== 'Pass' || state.Next === undefined) return { to, label };
  return throughPasses(states, { to: state.Next, label: to });
}

/** The machine's Task states: what each calls, and the longest that it may take. */
export function taskTable(machine: Machine): string {
  const rows = tasksOf(machine).map(([name, state]) => `| ${name} | ${calleeOf(state)} | ${limitOf(state)} |`);
  return ['| task | calls | at most |', '|---|---|---|', ...rows].join('\n');
}

function tasksOf(machine: Machine): readonly (readonly [string, State])[] {
  return Object.entries(machine.States).flatMap(([name, state]) => [
    ...(state.Type === 'Task' ? [[name, state] as const] : []),
    ...(state.ItemProcessor === undefined ? [] : tasksOf(state.ItemProcessor)),
  ]);
}

function calleeOf({ Resource: resource = '', Parameters: parameters = {} }: State): string {
  const target = [resource, parameters['FunctionName'], parameters['StateMachineArn']].map(String).join(' ');
  const placeholder = /\$\{(?<name>\w+)\}/.exec(target)?.groups?.['name'] ?? '';
  const kebab = placeholder
    .replace(/(Function|Machine)$/, '')
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
  const waits = resource.includes('waitForTaskToken') ? ', and waits for its token' : '';
  return placeholder.endsWith('Machine') ? `machine \`${kebab}\`` : `\`${kebab}\`${waits}`;
}

function limitOf({ TimeoutSeconds: seconds, TimeoutSecondsPath: path }: State): string {
  if (path === '$.promotion.canarySeconds') return 'the canary’s `deadlineHours`, and six hours';
  if (path !== undefined) return '`approvalHours` of the policy';
  if (seconds === undefined) return '';
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
