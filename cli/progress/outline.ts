import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Machine } from '#ports/state-machines.ts';

const State = z.looseObject({
  Type: z.string(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  Choices: z.array(z.looseObject({ Next: z.string() })).optional(),
  Resource: z.string().optional(),
  ItemsPath: z.string().optional(),
  ItemProcessor: z
    .looseObject({ States: z.record(z.string(), z.looseObject({ Resource: z.string().optional() })) })
    .optional(),
});
const Definition = z.looseObject({ StartAt: z.string(), States: z.record(z.string(), State) });

/** A state that takes time, and the states that may do so next. */
export interface OutlinedState {
  readonly isMap: boolean;
  /** Where a Map's items are in its document, as field names. */
  readonly items: readonly string[];
  /** The resource by which the last task of a Map's iteration is known, if its text says it: it waits for a token. */
  readonly lastResource: string | undefined;
  readonly next: readonly string[];
}

/** A machine as a reader of progress needs it: its working states by their names, in the order of its text. */
export type Outline = ReadonlyMap<string, OutlinedState>;

/** States in which something is done or waited for; the others are passed in no time. */
const WORKING = new Set(['Task', 'Map', 'Wait']);

/** The outline of a machine's text. */
export function outlineOf(text: string): Outline {
  const { States: states } = Definition.parse(JSON.parse(text));
  const working = Object.entries(states).filter(([, { Type }]) => WORKING.has(Type));
  const reached = (name: string | undefined): readonly string[] => {
    const state = name === undefined ? undefined : states[name];
    if (name === undefined || state === undefined) return [];
    if (WORKING.has(state.Type)) return [name];
    const targets = [...(state.Choices ?? []).map(({ Next }) => Next), state.Default, state.Next];
    return [...new Set(targets.flatMap(reached))];
  };
  return new Map(
    working.map(([name, { Type, Next, ItemsPath = '$', ItemProcessor }]) => {
      const inner = Object.values(ItemProcessor?.States ?? {}).map(({ Resource }) => Resource);
      return [
        name,
        {
          isMap: Type === 'Map',
          items: ItemsPath.split('.').slice(1),
          lastResource: inner.find((resource) => resource?.endsWith('.waitForTaskToken')),
          next: reached(Next),
        },
      ];
    }),
  );
}

const FOLDER = new URL('../../statemachines/', import.meta.url);

/** The outline of one of the machines that are deployed. */
export function machineOutline(machine: Machine): Outline {
  return outlineOf(readFileSync(new URL(`${machine}.asl.json`, FOLDER), 'utf8'));
}
