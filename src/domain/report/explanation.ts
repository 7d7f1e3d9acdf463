import { z } from 'zod';
import { document } from '../canonical/document.ts';

/**
 * How much each feature matters: the mean over a sample of rows of how far the logit of the prediction moves when the
 * feature's values are shuffled among the rows. This is permutation importance (Breiman 2001, Random Forests; Fisher, Rudin
 * & Dominici 2019, All Models are Wrong, but Many are Useful) without labels: what moves is the prediction and not the loss,
 * because who runs a model's file may not read what came true. It says what the model uses, not what is useful.
 */
export const FeatureImportances = z.strictObject({
  /** Sampled rows, and how often each feature was shuffled. */
  rows: z.int().positive(),
  repeats: z.int().positive(),
  seed: z.int(),
  features: z.array(
    z.strictObject({
      name: z.string(),
      /** Mean |logit after - logit before| over the repeats, and the least and the greatest of them. */
      change: z.number().nonnegative(),
      lowest: z.number().nonnegative(),
      highest: z.number().nonnegative(),
    }),
  ),
});
export type FeatureImportances = z.infer<typeof FeatureImportances>;

/** What the scoring function says of a release, as a document by digest: its importances, or why there are none. */
export const Explanation = document(
  'explanation',
  z.discriminatedUnion('status', [
    z.strictObject({ formatVersion: z.literal(1), status: z.literal('explained'), importances: FeatureImportances }),
    z.strictObject({ formatVersion: z.literal(1), status: z.literal('unexplained'), reason: z.string() }),
  ]),
);
export type Explanation = z.infer<typeof Explanation>;
