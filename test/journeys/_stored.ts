import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { eventually } from '../_helpers/cloud.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the stored clouds that fit what is tested. */
    clouds: string;
  }
}

/**
 * The clouds that journeys start from, each made from the one before it: all stacks deployed, and a first release in staging,
 * trained on data that could be better, with prod on its baseline; that release in prod; two days later, a better one that
 * dev offers, and that it has not published yet.
 */
export const STORED = ['candidate', 'champion', 'offered'] as const;
export type StoredCloud = (typeof STORED)[number];

const ROOT = join(import.meta.dirname, '../..');
/** Where clouds are stored, and copied to. */
export const CLOUDS = join(ROOT, '.gatehouse', 'clouds');
/** Everything that a stored cloud is made of, by the ways in which it is built and deployed. */
const INPUTS = [
  '{bin,cli,containers,governance,lambdas,lib,local,src,statemachines,test/governance,test/models,test/_helpers}/**/*',
  'test/journeys/_*',
  '{cdk,package-lock}.json',
  'gatehouse.config.ts',
  'requirements.txt',
];
/** A cloud takes a minute where everything is at work, several on a busy machine; what fails says so at once. */
const PATIENCE_S = 540;

/** The folder of the stored clouds that fit the working tree and the day: what they hold expires within days. */
export function cloudsFolder(today: Date): string {
  const hash = createHash('sha256').update(today.toISOString().slice(0, 10));
  for (const path of globSync(INPUTS, { cwd: ROOT }).toSorted()) {
    const file = join(ROOT, path);
    if (!statSync(file).isFile() || path.includes('__pycache__')) continue;
    hash.update(`\0${path}\0`).update(readFileSync(file));
  }
  return join(CLOUDS, hash.digest('hex').slice(0, 16));
}

/** Where a failed building says why. */
export const failureOf = (folder: string): string => join(folder, 'failure.txt');

/** Waits until the global set-up has stored a cloud, and gives its folder. */
export async function storedCloud(name: StoredCloud): Promise<string> {
  const folder = inject('clouds');
  const stored = join(folder, name);
  return eventually(
    `the stored cloud "${name}"`,
    async () => {
      if (existsSync(stored)) return stored;
      if (existsSync(failureOf(folder))) throw new Error(readFileSync(failureOf(folder), 'utf8'));
      return undefined;
    },
    PATIENCE_S,
  );
}
