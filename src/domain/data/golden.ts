import { z } from 'zod';
import { document } from '../canonical/document.ts';

/**
 * Rows of features with the predictions that a release gave for them when it was made: a file of the release
 * (`golden.json`). Whoever loads the release elsewhere must get the same predictions.
 */
export const Golden = document(
  'golden.json',
  z.strictObject({
    formatVersion: z.literal(1),
    columns: z.array(z.string()).min(1),
    /** One value per column, exactly as a 32-bit float; null for a feature without a value. */
    rows: z.array(z.array(z.number().nullable())).min(1),
    predictions: z.array(z.number().min(0).max(1)).min(1),
  }),
);
export type Golden = z.infer<typeof Golden>;
