import { z } from 'zod';
import { LONGEST_CALL_SECONDS } from '#domain/alarm/samples.ts';
import { Probe, readReply, whyNotPromised } from '#domain/alarm/probe.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { GoldenRequest } from '#domain/release/golden-request.ts';
import { fileOf, GOLDEN_REQUEST, ReleaseManifest } from '#domain/release/manifest.ts';
import { messageOf } from '#use-cases/each.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import { readDocument } from '#ports/documents.ts';
import type { Endpoints } from '#ports/endpoints.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { Metrics } from '#ports/metrics.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { contract, type Task } from '#use-cases/task.ts';

export interface Probing {
  readonly environment: string;
  readonly ledger: ReadableLedger;
  readonly releases: ReadableStore;
  readonly endpoints: Pick<Endpoints, 'models' | 'post'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export const ProbeEndpoint = contract({ input: z.object({ model: z.string() }), output: Probe });

/** Sends one golden request through the API of a model, as `rollback-verification` does to see who answers. */
export function probeEndpoint(deps: Probing): Task {
  return ProbeEndpoint.task(({ model }) => probe(deps, model));
}

/** Sends the golden request of the served release through the API of a model, and says what came of it. */
export async function probe(deps: Probing, model: string): Promise<Probe> {
  const at = deps.clock.now().toISOString();
  if (!deps.endpoints.models.includes(model)) return { status: 'none', at };
  try {
    const before = await readPointer(deps.ledger, model);
    if (before === undefined) return { status: 'none', at };
    const path = `/v2/models/${encodeURIComponent(model)}/infer`;
    const reply = readReply(await deps.endpoints.post(model, path, { parameters: { golden: true } }));
    if (reply.kind !== 'answer') return { status: reply.kind, found: reply.found, at };
    const { release, epoch, probabilities } = reply;
    const pointer = release === before.current ? before : await readPointer(deps.ledger, model);
    const manifest = await readDocument(deps.releases, ReleaseManifest, release);
    if (release !== pointer?.current && !(await mayStillAnswer(deps, manifest, pointer)))
      return { status: 'failed', found: `${release} answers, the pointer names ${pointer?.current ?? 'nothing'}`, at };
    const golden = await readDocument(deps.releases, GoldenRequest, fileOf(manifest, GOLDEN_REQUEST).sha256);
    const why = whyNotPromised(golden, probabilities);
    return why === undefined ? { status: 'answered', release, epoch, at } : { status: 'failed', found: why, at };
  } catch (error) {
    return { status: 'unavailable', found: messageOf(error).slice(0, 300), at };
  }
}

/** Whether a release may answer although the pointer names another: it reads the pointer again after some seconds. */
async function mayStillAnswer(
  { releases, clock }: Probing,
  manifest: ReleaseManifest,
  pointer: Pointer | undefined,
): Promise<boolean> {
  const { definition } = await definitionIn(releases, manifest);
  const seconds = (definition.online?.pointerMaxAgeSeconds ?? 0) + LONGEST_CALL_SECONDS;
  return pointer !== undefined && clock.now().getTime() - Date.parse(pointer.at) < seconds * 1000;
}
