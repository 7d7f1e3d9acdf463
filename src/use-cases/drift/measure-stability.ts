import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { StabilityMeasure, StabilityPlan } from '#domain/drift/drift-work.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const MeasureStability = contract({
  /** `day` is what is compared with the days of training; null where there is none. */
  input: z.object({ stability: z.object({ plan: Digest, day: z.string().nullable() }) }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('measured'), measure: Digest, reason: z.string() }),
    z.object({ status: z.literal('insufficient'), measure: z.null(), reason: z.string() }),
  ]),
});

/** Measures how far the inputs of the release have moved, and leaves it as an object by digest. */
export function measureStability(deps: Building): Task {
  return MeasureStability.task(({ stability }) =>
    withFolder(async (folder) => {
      const insufficient = (reason: string) =>
        ({ status: 'insufficient', measure: null, reason: reason.slice(0, 300) }) as const;
      if (stability.day === null) return insufficient('no predictions of a fresh day are published');
      const plan = await readDocument(deps.documents, StabilityPlan, stability.plan);
      const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
      const fetchAll = (digests: readonly Digest[]): Promise<string[]> =>
        Promise.all(digests.map((digest) => deps.lake.fetch('features', plan.model, digest, folder)));
      try {
        const reference = await fetchAll(plan.reference);
        const result = await deps.engine.measureStability({
          reference,
          current: await fetchAll(plan.current),
          definition,
        });
        if (result.kind === 'refused') return insufficient(`${result.refusal.rule}: ${result.refusal.found}`);
        const found = { formatVersion: 1 as const, ...result.measure };
        const measure = await writeDocument(deps.documents, StabilityMeasure, found);
        return { status: 'measured', measure, reason: `features of ${stability.day}` };
      } catch (error) {
        // Features that were refused are not there: nothing can be said, which is not "stable".
        const reason = whyNotHad(error);
        if (reason === undefined) throw error;
        return insufficient(reason);
      }
    }),
  );
}
