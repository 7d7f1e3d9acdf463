import { access, constants, stat } from 'node:fs/promises';
import { UsageError } from './refusal.ts';

/** Whoever names a file means one that can be read, and no folder. @throws UsageError else */
export async function mustBeFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true) throw new UsageError(`${file} is a folder: name the files in it`);
  try {
    await access(file, constants.R_OK);
  } catch {
    throw new UsageError(`${file}: there is no such file that can be read`);
  }
}
