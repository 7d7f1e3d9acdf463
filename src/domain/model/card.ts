import { z } from 'zod';

const Sentences = z.array(z.string().min(1).max(1000)).min(1).max(20);

/**
 * What only people can say of a model, under headings of a model card (Mitchell et al. 2019, Model Cards for Model
 * Reporting); a few sentences each. It is printed in every evaluation report, and is no part of a release.
 */
export const ModelCard = z.strictObject({
  /** What it is for, and for whom. */
  intendedUse: Sentences,
  /** What it must not be used for. */
  outOfScope: Sentences.exactOptional(),
  /** What is known to be wrong with it, or with its data. */
  limits: Sentences,
  /** Whom it may harm, and how. */
  ethics: Sentences.exactOptional(),
});
export type ModelCard = z.infer<typeof ModelCard>;
