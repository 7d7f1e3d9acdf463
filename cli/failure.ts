import { GatehouseError } from '#domain/error.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { EXIT, InterruptedError, RefusedError, UsageError } from './refusal.ts';

/** How a command that failed ends: what is said, and with which code. */
export interface Failure {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly data: {
    readonly error: { readonly kind: 'refused' | 'usage' | 'fault' | 'interrupted'; readonly [name: string]: unknown };
  };
}

/** Turns whatever ended a command into words and an exit code. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RefusedError) {
    // What is more than a refusal, such as one that stands in a ledger, has other fields as well.
    const { rule, found, remedy } = error.refusal;
    return {
      exitCode: EXIT.refused,
      lines: refusalLines(error.refusal),
      data: { error: { kind: 'refused', rule, found, remedy } },
    };
  }
  if (error instanceof UsageError) {
    return {
      exitCode: EXIT.usage,
      lines: [`error: ${error.message}`],
      data: { error: { kind: 'usage', message: error.message } },
    };
  }
  if (error instanceof InterruptedError) {
    return {
      exitCode: EXIT.interrupted,
      lines: [error.message],
      data: { error: { kind: 'interrupted', message: error.message } },
    };
  }
  const code = error instanceof GatehouseError ? error.code : nameOf(error);
  const message = messageOf(error);
  return {
    exitCode: EXIT.fault,
    lines: [`fault: ${code}: ${message}`],
    data: { error: { kind: 'fault', code, message } },
  };
}

/** A refusal as people read it: the rule, the value, and what would change it. */
export function refusalLines({ rule, found, remedy }: Refusal): readonly string[] {
  return [`refused by ${rule}`, `  found: ${found}`, `  to change it: ${remedy}`];
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
