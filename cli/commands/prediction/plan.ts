import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { parseCanonical } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { planFeatures } from '#domain/data/feature-plan.ts';
import { daysToReconcile, planReconciliation, type ReconciliationPlan } from '#domain/data/reconciliation.ts';
import { ModelDefinition, ModelName } from '#domain/model/definition.ts';
import { fileOf, openManifest } from '#domain/release/manifest.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { partitionsOf, pointerOf, predictionsOf } from '../../read.ts';
import type { Report } from '../../report.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['staging', 'prod']);
  const { plan, waiting } = await planFor(context.cloud(environment), model);
  context.print(planReport(model, environment, plan, waiting));
};

/** What a batch run that began now would do; it is planned by the same rules, and nothing is changed. */
export async function planFor(
  cloud: Cloud,
  model: string,
): Promise<{ readonly plan: ReconciliationPlan; readonly waiting: readonly string[] }> {
  const { ledger, names, environment } = cloud;
  const pointer = await pointerOf(ledger, model);
  if (pointer === undefined)
    return refuse(
      'release-served',
      `${environment} serves no release of ${model}`,
      `promote one: gatehouse promote ${model}@VERSION --to ${environment}`,
    );
  const store = s3ArtifactStore(cloud.s3, names.artifactBucket);
  const manifest = openManifest(await store.read(pointer.current));
  const definition = parseCanonical(
    ModelDefinition,
    await store.read(fileOf(manifest, 'definition.json').sha256),
    'definition.json',
  );
  const [events, labels, actual] = await Promise.all([
    partitionsOf(ledger, model, 'events'),
    partitionsOf(ledger, model, 'labels'),
    predictionsOf(ledger, model),
  ]);
  const withdrawn = [...new Set(actual.map(({ release }) => release))].filter((release) => release !== pointer.current);
  const days = daysToReconcile(
    events.map(({ day }) => day),
    definition.predictions.days,
    actual,
    withdrawn,
  );
  const rows = new Map(actual.map((published) => [published.day, published.rows]));
  const waiting: string[] = [];
  const desired = days.flatMap((day) => {
    const features = planFeatures(definition, FEATURE_ENGINE, [...events, ...labels], day);
    if (!features.ready) {
      waiting.push(`${day} waits for ${features.missing.map((part) => `${part.kind} of ${part.day}`).join(', ')}`);
      return [];
    }
    return [
      {
        day,
        features: features.digest,
        release: pointer.current,
        scorer: SCORER,
        schema: manifest.schemas.output,
        rows: rows.get(day) ?? 0,
      },
    ];
  });
  return { plan: planReconciliation(desired, actual), waiting };
}

/** The plan, and why each partition is in it. */
export function planReport(
  model: string,
  environment: string,
  plan: ReconciliationPlan,
  waiting: readonly string[],
): Report {
  return {
    data: { model, environment, ...plan, waiting },
    sections: [
      {
        title: `${model} in ${environment}: ${plan.kind}: ${plan.toScore} of ${plan.partitions.length} partitions, ${plan.rows} rows published before`,
        columns: ['day', 'action', 'because', 'rows'],
        rows: plan.partitions
          .filter(({ action }) => action === 'score')
          .map(({ day, action, reasons, rows }) => [
            day,
            action,
            reasons.join(', '),
            rows === 0 ? 'new' : String(rows),
          ]),
        empty: 'everything is as it should be',
      },
      ...(waiting.length === 0 ? [] : [{ title: 'not yet', lines: waiting.map((line) => `  ${line}`) }]),
    ],
  };
}
