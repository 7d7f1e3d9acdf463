import type { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';

/** A function's environment by its schema, parsed once at cold start: the only place that reads `process.env` in production. */
export function readEnvironment<T>(schema: z.ZodType<T>): T {
  return parseDocument(schema, process.env, 'function environment');
}
