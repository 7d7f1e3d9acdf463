import type { z } from 'zod';
import type { Contract, Said } from '#use-cases/task.ts';

/** A Task that calls a function: the noun under which its result is added to the machine's document, and what passes. */
export interface CallingState extends Contract {
  /** The fields of the machine's document that its parameters are made of; `$` for the whole, inside a Map. */
  readonly reads: readonly string[];
  /** Null where nobody reads the result: what is inside a Map, and the last word of an execution. */
  readonly adds: string | null;
}

/** A Task that starts another machine and waits for it: the input is that machine's, the result is its last document. */
export interface StartingState {
  readonly reads: readonly string[];
  readonly adds: string;
  readonly starts: MachineContract;
}

/** What a machine is started with, and what each of its Tasks is given and says. The order of states is in its ASL. */
export interface MachineContract {
  /** The name of the ASL file, without its ending. */
  readonly name: string;
  readonly input: z.ZodType;
  readonly states: Readonly<Record<string, CallingState | StartingState>>;
}

/** What a state's function, its token's answer or its child machine may say, as a scripted machine says it. */
type AnswerOf<S> = S extends { readonly answer: infer A extends z.ZodType }
  ? Said<z.input<A>>
  : S extends { readonly output: infer O extends z.ZodType }
    ? Said<z.input<O>>
    : object;

/** The answers of a scripted machine: one for each time that a state is entered, or always the same. */
export type Answers<M extends MachineContract> = {
  readonly [S in keyof M['states']]: AnswerOf<M['states'][S]> | readonly AnswerOf<M['states'][S]>[];
};
