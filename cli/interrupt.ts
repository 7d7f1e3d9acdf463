import type { Context } from './context.ts';

/** What the shell reads from a program that Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** The part of a process that hears of Ctrl-C. */
export interface Interruptible {
  once(signal: 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/** Awaits what goes on elsewhere: Ctrl-C ends the command alone, and says how to come back to the work. */
export async function interruptibly<T>(
  { note }: Pick<Context, 'note'>,
  goesOn: string,
  work: () => Promise<T>,
  process: Interruptible = globalThis.process,
): Promise<T> {
  const interrupted = (): void => {
    note(`\n${goesOn}`);
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', interrupted);
  try {
    return await work();
  } finally {
    process.off('SIGINT', interrupted);
  }
}
