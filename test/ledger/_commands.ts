import { random } from './_random.ts';

/** The environments of the model, each with a ledger of its own. */
export const ENVIRONMENTS = ['dev', 'staging', 'prod', 'control'] as const;
export type Name = (typeof ENVIRONMENTS)[number];

/** What can be done, and how often it is chosen. */
const VERBS = {
  register: 1,
  offer: 4,
  publish: 4,
  hear: 7,
  poll: 2,
  carry: 20,
  step: 44,
  skip: 4,
  decide: 12,
  misdecide: 2,
  ask: 6,
  'roll back': 3,
  confirm: 2,
  reconcile: 3,
  'activate policy': 1,
  'let time pass': 4,
  'end execution': 1,
} as const;
export type Verb = keyof typeof VERBS;

/** What goes wrong with the n-th transaction of a command, or what happens right before it. */
export type Fault =
  | { readonly kind: 'answer lost' | 'crash'; readonly at: number }
  | { readonly kind: 'race'; readonly at: number; readonly command: Command };

/** One command: plain data, so that a failing sequence can be kept. `pick` and `how` choose among what is possible then. */
export interface Command {
  readonly do: Verb;
  readonly in: Name;
  readonly pick: number;
  readonly how: number;
  readonly fault?: Fault;
}

/** Where each command makes sense. */
const PLACES: Readonly<Record<Verb, readonly Name[]>> = {
  register: ['dev'],
  offer: ['dev'],
  publish: ENVIRONMENTS,
  hear: ENVIRONMENTS,
  poll: ENVIRONMENTS,
  carry: ['staging', 'prod', 'control', 'prod', 'control'],
  step: ['staging', 'prod', 'prod'],
  skip: ['staging', 'prod'],
  decide: ['control'],
  misdecide: ['control'],
  ask: ['control'],
  'roll back': ['staging', 'prod', 'prod'],
  confirm: ['staging', 'prod'],
  reconcile: ENVIRONMENTS,
  'activate policy': ['staging', 'prod'],
  'let time pass': ['control'],
  'end execution': ['staging', 'prod'],
};

const DECK = Object.entries(VERBS).flatMap(([verb, weight]) => Array.from({ length: weight }, () => verb as Verb));

/** A sequence of commands, the same for the same seed. */
export function sequence(seed: number, length: number): readonly Command[] {
  const next = random(seed);
  const one = <T>(choices: readonly T[]): T => choices[next(choices.length)] as T;
  const plain = (): Command => {
    const verb = one(DECK);
    return { do: verb, in: one(PLACES[verb]), pick: next(16), how: next(16) };
  };
  return Array.from({ length }, (): Command => {
    const command = plain();
    const at = next(3);
    switch (next(16)) {
      case 0:
        return { ...command, fault: { kind: 'answer lost', at } };
      case 1:
        return { ...command, fault: { kind: 'crash', at } };
      case 2:
      case 3: {
        // What races is mostly the same environment's other work.
        const any = plain();
        const rival = any.do === 'step' ? { ...any, pick: 10 + next(6) } : any;
        const place = PLACES[rival.do].includes(command.in) ? command.in : rival.in;
        return { ...command, fault: { kind: 'race', at, command: { ...rival, in: place } } };
      }
      default:
        return command;
    }
  });
}
