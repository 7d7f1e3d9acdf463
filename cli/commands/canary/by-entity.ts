import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Policy } from '#domain/policy/policy.ts';

const RESULTS = join(import.meta.dirname, '../../../bench/results/canary.json');
const Results = z.array(z.looseObject({ what: z.string(), ours: z.number() }));

/** What false aborts were measured of, as the bench names its cases. */
const CASES = {
  'by event': 'false aborts: by event',
  'by entity with equal error rates': 'false aborts: by entity, equal error rates',
  'by entity whose error rates differ': 'false aborts: by entity, error rates differ by entity',
  'by entity with heavy users whose error rates differ':
    'false aborts: by entity, heavy users whose error rates differ',
};

/** How often healthy candidates were aborted in the bench, in percent of the canaries, by how requests get their arm. */
export async function falseAborts(): Promise<Readonly<Record<keyof typeof CASES, number>>> {
  const results = Results.parse(JSON.parse(await readFile(RESULTS, 'utf8')));
  const found = Object.entries(CASES).map(([name, what]) => [name, results.find((each) => each.what === what)?.ours]);
  return z.record(z.enum(Object.keys(CASES) as [keyof typeof CASES]), z.number()).parse(Object.fromEntries(found));
}

/** What people have to know where the entity chooses the arm. */
export async function entityWarning(): Promise<string> {
  const figures = await falseAborts();
  const said = Object.entries(figures).map(([name, percent]) => `${percent} % ${name}`);
  return `WARNING: arms are assigned by entity: entities that fail differently abort healthy candidates; in the bench: ${said.join(', ')}`;
}

/** The warning, where a canary of a policy assigns by entity. */
export async function warningOf({ transitions }: Pick<Policy, 'transitions'>): Promise<string | undefined> {
  const isByEntity = Object.values(transitions).some((rule) => rule?.canary?.assignment === 'entity');
  return isByEntity ? entityWarning() : undefined;
}
