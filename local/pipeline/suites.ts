import { join } from 'node:path';
import { PYTHON_ENVIRONMENT, runCommand } from './training.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'containers', 'data-quality', 'validate.py');

/** Runs the processing job's own program in the layout of its container below `root`; what it said last where it failed. */
export async function runSuites(root: string): Promise<string | undefined> {
  const said: string[] = [];
  const env = { ...PYTHON_ENVIRONMENT, HOME: root, SM_ROOT: root };
  const code = await runCommand(['python', PROGRAM], root, env, (line) => said.push(line));
  return code === 0 ? undefined : said.slice(-3).join(' ');
}
