import { z } from 'zod';
import { Refusal } from '../../refusal/refusal.ts';

export const Text = z.string().min(1);
export const Rule = Refusal.shape.rule;

export interface EventDefinition<T extends z.ZodType> {
  /** One sentence for the generated catalogue. */
  readonly meaning: string;
  /** Whether people are told through the alert topic: always, never, or unless a detail has a value that nobody has to act on. */
  readonly alert: Alert;
  readonly details: T;
}

export type Alert = boolean | { readonly unless: readonly [detail: string, ...values: string[]] };

/** An event of the registry; nobody is alerted unless it is said. */
export function event<T extends z.ZodType>(meaning: string, details: T, alert: Alert = false): EventDefinition<T> {
  return { meaning, alert, details };
}
