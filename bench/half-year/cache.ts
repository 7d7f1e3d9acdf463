// What was found once is kept under the digest of what it was found from.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { digestOfJson } from '#domain/canonical/digest.ts';

/** What `make` finds, found once; a file has its name only when it is whole. */
export async function kept<T>(
  folder: string,
  key: Parameters<typeof digestOfJson>[0],
  schema: z.ZodType<T>,
  make: () => Promise<T>,
): Promise<T> {
  const file = join(folder, `${digestOfJson(key).slice('sha256:'.length)}.json`);
  if (existsSync(file)) return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const found = await make();
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.partial`, JSON.stringify(found));
  renameSync(`${file}.partial`, file);
  return found;
}
