import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { s3Lake } from '#adapters/aws/lake.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import { closedUntil, countedAnswers } from '#domain/prediction/request-log.ts';
import { type ReplayedRequest, replayRequests } from '#serving/replay.ts';
import type { Run } from '../../../context.ts';
import { refuse, RefusedError } from '../../../refusal.ts';
import { causesOf, readBatch } from './batch.ts';
import { type Compared, replayReport } from './view.ts';

const Input = z.object({ model: ModelName, day: Day, event: z.string().min(1).optional() });
/** A line for every answer would be too many. */
const REPORT_EVERY = 50;

/** Answers logged requests again, and says which differ from their receipts and from the batch, and why. */
export const run: Run = async (context) => {
  const { model, day, event } = context.input(Input);
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const stored = await s3RequestStore(cloud.s3, cloud.names.lakeBucket).read(model, day);
  const counted = countedAnswers(stored.requests).filter((each) => event === undefined || each.event.id === event);
  if (counted.length === 0)
    return refuse(
      'requests-logged',
      `no answer of ${event === undefined ? '' : `event ${event}, `}${day} is in the request log of ${cloud.environment}`,
      'ask for one: gatehouse endpoint ask; its line takes up to two minutes',
    );
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-replay-'));
  try {
    const requests = [...new Set(counted.map((each) => each.request))];
    const deps = {
      model,
      folder,
      artifacts: cloud.releases,
      documents: cloud.documents,
      lake: s3Lake(cloud.s3, cloud.names.lakeBucket),
      scoring: onnxScoring,
      features: onlineFeatures,
    };
    const replayed = await replayRequests(deps, { ...stored, requests }, (done) => {
      if (done % REPORT_EVERY === 0 || done === requests.length)
        context.note(`  ${done} of ${requests.length} requests`);
    });
    const byRequest = new Map(replayed.map((each) => [each.request, each]));
    const batch = await readBatch(cloud, deps.lake, model, day, folder);
    const causeOf = batch && causesOf(cloud, deps.lake, batch, folder);
    const compared: Compared[] = [];
    for (const { request, event: answer } of counted) {
      const again = byRequest.get(request);
      if (again === undefined) continue;
      const index = request.events.indexOf(answer);
      const published = batch?.predictions.get(answer.id) ?? null;
      compared.push({
        event: answer.id,
        request: request.request,
        release: request.release,
        answered: answer.probability,
        ...computedAgain(again, index, answer.probability),
        batch: published,
        cause:
          causeOf === undefined || Object.is(published, answer.probability)
            ? null
            : published === null
              ? 'not-in-batch'
              : await causeOf(again, index),
      });
    }
    const { report, refusal } = replayReport({
      environment: cloud.environment,
      model,
      day,
      compared,
      batch: batch?.manifest.release,
      requests: stored.requests.length,
      closedUntil: closedUntil(new Date()).toISOString(),
    });
    context.print(report);
    if (refusal !== undefined) throw new RefusedError(refusal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** What an answer is today, and how that differs from what it was. */
function computedAgain(
  { outcome }: ReplayedRequest,
  index: number,
  answered: number,
): Pick<Compared, 'recomputed' | 'difference' | 'isKept'> {
  switch (outcome.kind) {
    case 'computed': {
      const recomputed = outcome.probabilities[index] ?? Number.NaN;
      const isSame = Object.is(recomputed, answered);
      return { recomputed, difference: isSame ? null : 'another probability', isKept: true };
    }
    case 'impossible':
      return { recomputed: null, difference: outcome.reason, isKept: true };
    case 'not-kept':
      return { recomputed: null, difference: null, isKept: false };
  }
}
