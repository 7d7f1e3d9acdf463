import type { Digest } from '#domain/canonical/digest.ts';
import { addDays } from '#domain/data/partition.ts';
import type { TrainingPlan } from '#domain/data/training-plan.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { aggregatesFor } from '#domain/prediction/aggregates.ts';
import { type Refusal, refusalText } from '#domain/refusal/refusal.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { EventReading } from '#ports/feature-engine.ts';
import type { Lake } from '#ports/lake.ts';
import type { OnlineFeatureEngine } from '#ports/online-features.ts';
import type { Scoring } from '#ports/scoring.ts';
import { makeGoldenRequest } from '#read-model/golden-request.ts';
import { fetchPartitions, whyNotHad, withFolder } from '#use-cases/data/local-files.ts';

export interface GoldenPackaging {
  readonly releases: ReadableStore;
  readonly lake: Lake;
  readonly scoring: Scoring;
  /** Of models that are online: what reads the events of a golden request, and makes their features. */
  readonly events: EventReading;
  readonly online: OnlineFeatureEngine;
}

/** The files of the golden request of a release whose model is online; of another one none. */
export async function goldenRequestOf(
  deps: GoldenPackaging,
  { model, requests }: TrainingPlan,
  definition: ModelDefinition,
  onnx: Uint8Array,
  day: string,
): Promise<readonly { readonly path: string; readonly content: Uint8Array }[]> {
  if (definition.online === undefined || requests === undefined) return [];
  const refused = (refusal: Refusal): never => {
    const found = `its golden request is answered: ${refusalText(refusal)}`;
    throw new GatehouseError('NOT_SCORABLE', found, { model, day });
  };
  const { features } = definition;
  const text = async (digest: Digest): Promise<string> => new TextDecoder().decode(await deps.releases.read(digest));
  const sql = { daily: await text(features.daily.sha256), features: await text(features.features.sha256) };
  const make = async (folder: string) => {
    const seen = requests.events.filter((each) => each.day >= addDays(day, -features.eventDays) && each.day <= day);
    const read = await deps.events.readEvents(definition, await fetchPartitions(deps.lake, seen, folder));
    if (read.kind === 'refused') return refused(read.refusal);
    const daily = aggregatesFor(requests.daily, day, definition).map(async (each) => ({
      day: each.day,
      file: await deps.lake.fetch('daily', model, each.digest, folder),
    }));
    const files = await Promise.all(daily);
    const opened = await deps.scoring.open(onnx, definition);
    if (opened.kind === 'refused') return refused(opened.refusal);
    try {
      const release = { definition, sql, model: opened.model, online: deps.online };
      const made = await makeGoldenRequest(release, day, read.events, files);
      return made.kind === 'refused' ? refused(made.refusal) : made.files;
    } finally {
      await opened.model.close();
    }
  };
  return withFolder(make).catch((error: unknown) => {
    const reason = whyNotHad(error);
    throw reason === undefined ? error : new GatehouseError('NOT_SCORABLE', reason, { model, day }, error);
  });
}
