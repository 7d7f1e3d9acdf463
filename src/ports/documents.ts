import type { z } from 'zod';
import { canonicalJson, type Digest, parseCanonical, parseDocument } from '#domain/canonical/digest.ts';
import type { DocumentSchema } from '#domain/canonical/document.ts';
import type { ArtifactStore, ReadableStore } from './artifact-store.ts';

/** A value that nobody has to be able to change. */
type Unchanged<T> = T extends (...given: never[]) => unknown ? T : { readonly [K in keyof T]: Unchanged<T[K]> };

/** The document that a store keeps under a digest. @throws GatehouseError `BAD_DOCUMENT`, `NOT_CANONICAL`, and what reading throws */
export async function readDocument<S extends DocumentSchema>(
  store: ReadableStore,
  schema: S,
  digest: Digest,
): Promise<z.output<S>> {
  return parseCanonical<z.output<S>>(schema as z.ZodType<z.output<S>>, await store.read(digest), schema.document);
}

/** Keeps a document in a store, as its schema reads it. @throws GatehouseError `BAD_DOCUMENT` for what could not be read again */
export async function writeDocument<S extends DocumentSchema>(
  store: Pick<ArtifactStore, 'write'>,
  schema: S,
  value: Unchanged<z.input<S>>,
): Promise<Digest> {
  return writeText(store, canonicalJson(parseDocument(schema, value, schema.document)));
}

/** Keeps a text in a store. */
export async function writeText(store: Pick<ArtifactStore, 'write'>, text: string): Promise<Digest> {
  return (await store.write(new TextEncoder().encode(text))).digest;
}
