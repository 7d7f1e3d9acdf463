import { z } from 'zod';
import { canonicalJson, Digest, parseCanonical } from '#domain/canonical/digest.ts';
import { StabilityMeasure, StabilityPlan } from '#domain/drift/drift-work.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { type Task, task } from '#use-cases/task.ts';

const Parameters = z.object({ stability: z.object({ plan: Digest, day: z.string().nullable() }) });

/** Measures how far the inputs of the release have moved, and leaves it as an object by digest. */
export function measureStability(deps: Building): Task {
  return task(Parameters, ({ stability }) =>
    withFolder(async (folder) => {
      const insufficient = (reason: string) => ({
        status: 'insufficient',
        measure: null,
        reason: reason.slice(0, 300),
      });
      if (stability.day === null) return insufficient('no predictions of a fresh day are published');
      const plan = parseCanonical(StabilityPlan, await deps.documents.read(stability.plan), 'stability plan');
      const definition = parseCanonical(ModelDefinition, await deps.releases.read(plan.definition), 'definition.json');
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
        const measure = StabilityMeasure.parse({ formatVersion: 1, ...result.measure });
        const { digest } = await deps.documents.write(new TextEncoder().encode(canonicalJson(measure)));
        return { status: 'measured', measure: digest, reason: `features of ${stability.day}` };
      } catch (error) {
        // Features that were refused are not there: nothing can be said, which is not "stable".
        const reason = whyNotHad(error);
        if (reason === undefined) throw error;
        return insufficient(reason);
      }
    }),
  );
}
