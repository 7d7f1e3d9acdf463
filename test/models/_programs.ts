import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { z } from 'zod';

/** Where the Python of the lockfile is. */
export const PYTHON_FOLDER = join(import.meta.dirname, '../../.venv/bin');

const Ended = z.array(z.object({ code: z.int(), stderr: z.string() }));

/**
 * Runs Python programs, each in a process of its own, from one interpreter that has loaded `modules`: to load them takes
 * seconds. What must not depend on the interpreter's hash seed needs a run elsewhere as well.
 */
export async function runPrograms(job: {
  readonly modules: readonly string[];
  readonly runs: readonly {
    /** The program's absolute path. */
    readonly program: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  }[];
}): Promise<z.infer<typeof Ended>> {
  const child = spawn(join(PYTHON_FOLDER, 'python'), [join(import.meta.dirname, '_programs.py')], {
    env: { PATH: PYTHON_FOLDER, GX_ANALYTICS_ENABLED: 'false' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify(job));
  const [answer, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (answer === '') throw new Error(said);
  return Ended.parse(JSON.parse(answer));
}
