import { z } from 'zod';
import { canonicalJson, Digest, parseCanonical } from '#domain/canonical/digest.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { ranges } from '#domain/data/feature-work.ts';
import { ABSENT, equals, keyText, unkey, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { BatchPlan, PredictionManifest } from '#domain/prediction/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Lake } from '#ports/lake.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type Task, task } from '#use-cases/task.ts';
import { holdsFence } from './fence.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

export interface Publication extends Recording {
  readonly lake: Lake;
  readonly documents: ArtifactStore;
}

/** Manifests per transaction: with the checks and the audit record this stays below DynamoDB's 100 actions. */
const FLIP = 80;

/**
 * Flips the manifests of what a run has scored, in transactions that check that the pointer's epoch and the fence are
 * still the run's: a reader sees a whole partition of one release or the one before it, and a withdrawn release's run
 * publishes nothing. Refused features or predictions leave their partition as it was.
 */
export function publishPredictions(deps: Publication): Task {
  return task(z.object({ model: z.string(), plan: Digest }), async ({ model, plan: digest }) => {
    const plan = parseCanonical(BatchPlan, await deps.documents.read(digest), 'batch plan');
    const manifests: PredictionManifest[] = [];
    const unscored: string[] = [];
    for (const { day, features, predictions } of plan.partitions) {
      const built = await deps.lake.find('predictions', model, predictions);
      if (built === undefined) unscored.push(day);
      else {
        const { release, scorer, schema, run, epoch } = plan;
        const publishedAt = deps.clock.now().toISOString();
        manifests.push({
          formatVersion: 1,
          model: plan.model,
          day,
          features,
          release,
          scorer,
          schema,
          ...built,
          run,
          epoch,
          publishedAt,
        });
      }
    }
    const root = await deps.documents.write(
      new TextEncoder().encode(
        canonicalJson(manifests.map(({ day, features, object, rows }) => ({ day, features, object, rows }))),
      ),
    );
    const rows = manifests.reduce((sum, manifest) => sum + manifest.rows, 0);
    const batches = ranges(Math.max(1, manifests.length), FLIP);
    for (const [index, { from, to }] of batches.entries()) {
      const writes = await Promise.all(manifests.slice(from, to).map((manifest) => flip(deps, manifest)));
      const checks = [
        {
          kind: 'check',
          key: keys.pointer(model),
          condition: equals({ epoch: plan.epoch, current: plan.release }),
        } as const,
        holdsFence(model, plan.fence),
      ];
      const isLast = index === batches.length - 1;
      const event: AuditEvent = {
        code: 'PREDICTIONS_PUBLISHED',
        actor: 'pipeline:reconciliation',
        release: plan.release,
        details: {
          run: plan.run,
          kind: plan.kind,
          partitions: manifests.length,
          rows,
          manifest: root.digest,
          epoch: plan.epoch,
        },
      };
      const operation = operationName('publish', plan.run, digest, index);
      const result = isLast
        ? await recordChange(deps, { model, operation, writes: [...checks, ...writes], event })
        : // A repetition finds other manifests and another time, and so another body, which needs another token.
          await writeUnaudited(deps.ledger, [...checks, ...writes], operationName('flip', canonicalJson(writes)));
      if (result.kind === 'refused' || result.kind === 'condition-failed') {
        return { status: 'withdrawn', published: from, failed: result.failed.map(keyText) };
      }
    }
    return { status: 'published', published: manifests.length, rows, unscored };
  });
}

async function flip(deps: Publication, manifest: PredictionManifest): Promise<Write> {
  const key = keys.prediction(manifest.model, manifest.day);
  const item = await deps.ledger.get(key);
  const previous = item === undefined ? undefined : unkey(PredictionManifest, item);
  return {
    kind: 'put',
    item: { ...key, ...manifest },
    condition:
      previous === undefined
        ? ABSENT
        : equals({ run: previous.run, release: previous.release, features: previous.features }),
  };
}
