import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { CONTRACTS } from '#statemachines/contracts.ts';
import type { Machine, State, States, TaskState } from '#local/statemachines/machines.ts';

const FOLDER = new URL('../../statemachines/', import.meta.url);
const LAMBDAS = new URL('../../lambdas/', import.meta.url);

/** The name of a machine that has a contract. */
const MachineName = z.custom<keyof typeof CONTRACTS>((name) => String(name) in CONTRACTS);

/** The machines, by the names of their files. */
export const MACHINES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => MachineName.parse(file.slice(0, -'.asl.json'.length)));

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
