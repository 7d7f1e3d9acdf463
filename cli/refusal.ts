import { type Refusal, refusal, type Refusing } from '#domain/refusal/refusal.ts';

/** The exit codes, the same for every command; what Ctrl-C ends has the shell's own, 128 and the number of SIGINT. */
export const EXIT = { done: 0, refused: 1, usage: 2, fault: 3, interrupted: 130 } as const;

/** The command was not understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ctrl-C ended the command while it waited: exit code 130. The message says what goes on. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** A rule said no: exit code 1. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.rule}: ${refusal.found}`);
    this.refusal = refusal;
  }
}

/** Ends the command by a refusal. */
export function refuse(...why: Refusing): never {
  throw new RefusedError(refusal(...why));
}
