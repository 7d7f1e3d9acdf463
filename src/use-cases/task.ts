import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { Refusal } from '#domain/refusal/refusal.ts';

/** What a state of a machine calls: it gets the state's parameters and answers what the state's result is. */
export type Task = (parameters: unknown) => Promise<object>;

/** What a state of a machine may be given, and what it may say: nothing else passes between a machine and its functions. */
export interface Contract<
  I extends z.ZodType = z.ZodType,
  O extends z.ZodType = z.ZodType,
  A extends z.ZodType | undefined = z.ZodType | undefined,
> {
  /** The parameters that the state passes. */
  readonly input: I;
  /** What the function says: names that are not declared are left out of it. */
  readonly output: O;
  /** What the task's token is returned with, where the state waits for one: the state's result, in the output's stead. */
  readonly answer: A;
}

/** What may be said as a value of a type, by whoever does not change it. */
export type Said<T> = T extends string
  ? T
  : T extends readonly (infer E)[]
    ? readonly Said<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Said<T[K]> }
      : T;

/**
 * The contract of a state, and the task that keeps it: parameters, or an output, that it does not know are a fault that names
 * the field.
 */
export function contract<
  I extends z.ZodType,
  O extends z.ZodType<object>,
  A extends z.ZodType | undefined = undefined,
>({ input, output, answer }: { readonly input: I; readonly output: O; readonly answer?: A }) {
  return {
    input,
    output,
    answer: answer as A,
    task: (run: (parameters: z.output<I>) => Promise<Said<z.output<O>>>): Task => {
      const taken = input as z.ZodType<z.output<I>>;
      return async (parameters) =>
        parseDocument(output, await run(parseDocument(taken, parameters, 'task parameters')), 'task output');
    },
  };
}

/** What a state says that may not go on, and why. */
export const Refused = z.object({ status: z.literal('refused'), refusal: Refusal });

/** What a Catch writes of the error of a state. */
export const CaughtError = z.object({ Error: z.string().optional(), Cause: z.string().optional() });
