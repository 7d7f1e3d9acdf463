import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '#domain/canonical/digest.ts';
import { type JsonRow, rowFromJson } from '#domain/data/event-json.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { chooseGoldenEvents, GoldenRequest, whyNotGolden } from '#domain/release/golden-request.ts';
import {
  fileOf,
  GOLDEN_REQUEST,
  goldenAggregatesIn,
  goldenDailyPath,
  type ReleaseManifest,
} from '#domain/release/manifest.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import type { EventRow, OnlineFeatureEngine, ReadEvent } from '#ports/online-features.ts';
import type { OpenModel } from '#ports/scoring.ts';

/** What answers a golden request: the parts of its release, loaded. */
export interface GoldenRelease {
  readonly definition: ModelDefinition;
  readonly sql: { readonly daily: string; readonly features: string };
  readonly model: Pick<OpenModel, 'predict'>;
  readonly online: OnlineFeatureEngine;
}

/** What a release answers to a golden request now, and how that differs from what it promised; undefined where it does not. */
export interface GoldenAnswer {
  readonly kind: 'answered';
  readonly events: readonly EventRow[];
  readonly context: readonly EventRow[];
  /** The newest day of the aggregates; undefined where the model has none. */
  readonly until: string | undefined;
  readonly probabilities: readonly number[];
  readonly difference: string | undefined;
}

type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Answers the golden request of a release from the release's own events, context and aggregates, which are copied into a folder;
 * undefined where it has none. @throws GatehouseError what reading and predicting throw
 */
export async function answerGoldenRequest(
  release: GoldenRelease,
  store: ReadableStore,
  manifest: ReleaseManifest,
  folder: string,
): Promise<GoldenAnswer | Refused | undefined> {
  const aggregates = goldenAggregatesIn(manifest);
  if (aggregates === undefined) return undefined;
  const golden = await readDocument(store, GoldenRequest, fileOf(manifest, GOLDEN_REQUEST).sha256);
  const copied = aggregates.map(async ({ day, sha256 }) => {
    const file = join(folder, `${day}.parquet`);
    await writeFile(file, await store.read(sha256));
    return { day, file };
  });
  const answer = await answerFrom(release, golden, await Promise.all(copied));
  if (answer.kind === 'refused') return answer;
  const { probabilities } = answer;
  return { ...answer, until: aggregates.at(-1)?.day, difference: whyNotGolden(golden, probabilities) };
}

/**
 * Makes the files of a release's golden request, of a day whose events and those of the days before it were read, and of the
 * aggregates that features of the day need. Its answers are those of the same code that endpoints run.
 */
export async function makeGoldenRequest(
  release: GoldenRelease,
  day: string,
  read: readonly ReadEvent[],
  daily: readonly DayFile[],
): Promise<{ readonly kind: 'made'; readonly files: readonly { path: string; content: Uint8Array }[] } | Refused> {
  const chosen = chooseGoldenEvents(release.definition, day, read);
  const answer = await answerFrom(release, chosen, daily);
  if (answer.kind === 'refused') return answer;
  const golden = GoldenRequest.parse({ formatVersion: 1, day, ...chosen, probabilities: answer.probabilities });
  const inOrder = daily.toSorted((a, b) => (a.day < b.day ? -1 : 1));
  const files = inOrder.map(async (each) => ({ path: goldenDailyPath(each.day), content: await readFile(each.file) }));
  const request = { path: GOLDEN_REQUEST, content: new TextEncoder().encode(canonicalJson(golden)) };
  return { kind: 'made', files: [request, ...(await Promise.all(files))] };
}

async function answerFrom(
  { definition, sql, model, online }: GoldenRelease,
  golden: { readonly events: readonly JsonRow[]; readonly context: readonly JsonRow[] },
  daily: readonly DayFile[],
) {
  const rowsOf = (rows: readonly JsonRow[]): readonly EventRow[] =>
    rows.map((row) => rowFromJson(definition.events.columns, row));
  const request = { events: rowsOf(golden.events), context: rowsOf(golden.context) };
  const engine = await online.open({ definition, sql, daily });
  try {
    const features = await engine.featuresOf(request);
    if (features.kind === 'refused') return features;
    return { kind: 'answered' as const, ...request, probabilities: await model.predict(features.rows) };
  } finally {
    await engine.close();
  }
}
