import type { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';

/** What a state of a machine calls: it gets the state's parameters and answers what the state's result is. */
export type Task = (parameters: unknown) => Promise<object>;

/** A task whose parameters have a schema; wrong ones are a fault that names the field. */
export function task<I, O extends object>(schema: z.ZodType<I>, run: (parameters: I) => Promise<O>): Task {
  return (parameters) => run(parseDocument(schema, parameters, 'task parameters'));
}
