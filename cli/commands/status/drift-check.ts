import { z } from 'zod';

const Part = z.object({ status: z.string(), reason: z.string() });

/** What a check of drift kept among the runs. */
export const DriftCheck = z.object({
  day: z.string().nullable(),
  limits: z.object({ index: z.number(), disagreement: z.number() }),
  inputs: Part.extend({
    measured: z.array(z.object({ input: z.string(), index: z.number(), isStable: z.boolean() })),
    rows: z.object({ reference: z.number(), current: z.number() }),
  }),
  concept: Part,
  disagreement: Part.extend({ ratio: z.number().nullable() }),
  parity: Part.extend({
    differences: z.array(z.object({ day: z.string(), features: z.string(), found: z.string() })),
  }),
});
export type DriftCheck = z.infer<typeof DriftCheck>;
