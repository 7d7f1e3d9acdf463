import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { behind, rollbackTarget } from '#domain/promotion/rollback.ts';
import { failed } from '#domain/rollback-readiness/conditions.ts';
import { isFirst } from '#domain/rollback-readiness/readiness.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { planSourceData } from './plan-source-data.ts';
import { recordReadiness, type RecordingReadiness } from './write-readiness.ts';

/** What a drill is about. */
export const DrillPlan = z.object({
  status: z.literal('planned'),
  release: Digest,
  version: z.string(),
  /** The pointer's, in which a rollback would go to the release. */
  epoch: z.int().min(1),
  startedAt: z.iso.datetime(),
  data: Digest,
});

export const PlanDrill = contract({
  input: z.object({ model: z.string(), run: z.string() }),
  output: z.discriminatedUnion('status', [
    DrillPlan,
    /** Nothing is served, or there is nothing to verify: what was found is recorded. */
    z.object({ status: z.enum(['idle', 'no-target', 'first-release', 'superseded']), reason: z.string() }),
  ]),
});

/** Says which release a rollback would go to now, or records that there is none. */
export function planDrill(deps: RecordingReadiness & { readonly documents: ArtifactStore }): Task {
  return PlanDrill.task(async ({ model, run }) => {
    const startedAt = deps.clock.now().toISOString();
    const [pointer, quarantined] = await Promise.all([
      readPointer(deps.ledger, model),
      readQuarantined(deps.ledger, model),
    ]);
    if (pointer === undefined) return { status: 'idle', reason: 'nothing is in production here' };
    const { epoch } = pointer;
    const target = rollbackTarget(pointer, (release) => quarantined.includes(release));
    if (target.kind === 'target') {
      const { release, version } = target;
      return { status: 'planned', release, version, epoch, startedAt, data: await planSourceData(deps, model) };
    }
    const { found: reason } = target.refusal;
    const [named] = behind(pointer);
    const status = isFirst(pointer) ? 'first-release' : 'no-target';
    const about = { run, release: named?.release ?? null, version: named?.version ?? null, epoch, startedAt };
    const recorded = await recordReadiness(deps, model, {
      ...about,
      status,
      failed: status === 'first-release' ? [] : [failed('target', reason)],
    });
    return { status: recorded === 'superseded' ? recorded : status, reason };
  });
}
