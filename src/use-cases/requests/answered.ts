import type { z } from 'zod';
import type { Item } from '#domain/ledger/item.ts';
import type { MeasureAnswers } from './measure-answers.ts';

/** Measured answers as a run keeps them, for `status`. */
export function answered({ days, reason }: z.output<typeof MeasureAnswers.output>): Item[string] {
  return { days: days.map((day) => ({ ...day, pairedLoss: day.pairedLoss && { ...day.pairedLoss } })), reason };
}
