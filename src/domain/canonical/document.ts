import type { z } from 'zod';

/** A schema of what stores keep by digest, with the name by which messages call such a document. */
export type DocumentSchema = z.ZodType & { readonly document: string };

/** Makes a schema that of a document, under the name by which messages call it. */
export function document<S extends z.ZodType>(name: string, schema: S): S & { readonly document: string } {
  return Object.assign(schema, { document: name });
}
