import { InterruptedError } from './refusal.ts';

/** The part of a process that hears of Ctrl-C. */
export interface Interruptible {
  once(signal: 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGINT', listener: () => void): unknown;
}

/**
 * Awaits what goes on elsewhere: Ctrl-C ends the command alone, and says how to come back to the work. It rejects instead of
 * ending the process, so that whoever draws gives the terminal back. @throws InterruptedError
 */
export async function interruptibly<T>(
  goesOn: string,
  work: (signal: AbortSignal) => Promise<T>,
  process: Interruptible = globalThis.process,
): Promise<T> {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const interrupted = (): void => {
    controller.abort();
    reject(new InterruptedError(goesOn));
  };
  process.once('SIGINT', interrupted);
  try {
    return await Promise.race([work(controller.signal), promise]);
  } finally {
    process.off('SIGINT', interrupted);
  }
}
