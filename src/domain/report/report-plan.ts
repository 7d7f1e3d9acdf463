import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { LabelJoins } from '../data/label-joins.ts';
import { Verdict } from '../gates/gate.ts';
import { ModelCard } from '../model/card.ts';
import { ModelName } from '../model/definition.ts';
import { ComparisonRule, Costs, DriftRule } from '../policy/policy.ts';
import { Version } from '../release/registration.ts';

/** A plan of a comparison, and what was measured by it. */
const Measured = z.strictObject({ comparison: Digest, measure: Digest });

/** What the evaluation reports of a run's candidates are made from, as an object by digest: each shows all of them. */
export const ReportPlan = document(
  'report plan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    run: z.string().min(1),
    asOf: z.string().min(1),
    champion: z.strictObject({ release: Digest, version: Version.nullable() }),
    policy: Digest,
    rule: ComparisonRule,
    costs: Costs.exactOptional(),
    card: ModelCard.exactOptional(),
    /** What the gates said, of the candidate that was chosen if there was one. */
    conclusion: z.strictObject({ verdict: Verdict, chosen: Digest.nullable(), reasons: z.array(z.string()) }),
    /** By which inputs the policy looks for drift, and from what index on. */
    drift: DriftRule.exactOptional(),
    candidates: z.array(
      z.strictObject({
        release: Digest,
        version: Version,
        /** The evidence by which its data was accepted. */
        dataCheck: Digest.nullable(),
        /** What the join of events and labels lost of its training rows, where its registration says so. */
        joins: LabelJoins.exactOptional(),
        selection: Measured,
        test: Measured,
      }),
    ),
  }),
);
export type ReportPlan = z.infer<typeof ReportPlan>;
