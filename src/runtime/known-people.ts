import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { KnownPeople } from '#domain/attestation/review.ts';

const People = z.record(
  z.string(),
  z.object({ logins: z.array(z.string()), emails: z.array(z.string()).exactOptional() }),
);

/** Whose accounts of the forge are whose, as synth wrote them into this function's bundle. */
export function readKnownPeople(): KnownPeople {
  return People.parse(JSON.parse(readFileSync(new URL('./people.json', import.meta.url), 'utf8')));
}
