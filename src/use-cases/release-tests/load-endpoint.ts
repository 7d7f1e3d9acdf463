import { z } from 'zod';
import { LoadFinding } from '#domain/attestation/finding.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { loadFinding, LoadReport } from '#domain/release-tests/load-report.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { writeDocument } from '#ports/documents.ts';
import type { LoadGenerator } from '#ports/load-generator.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const LoadEndpoint = contract({
  input: z.object({ model: z.string(), release: Digest, seconds: z.int(), connections: z.int() }),
  output: z.object({ finding: LoadFinding, report: Digest }),
});

/** As much of an answer to the golden request as is looked at under load. */
const Golden = z.object({ parameters: z.object({ digest: Digest, golden_matches: z.boolean() }) });

/**
 * Asks an endpoint for its golden request again and again, as its probes do: that is no prediction, so that neither the request log nor
 * the measures of requests and latency know of it. An answer of another release, or another one than was promised, has failed.
 */
export function loadEndpoint(deps: { readonly generator: LoadGenerator; readonly documents: ArtifactStore }): Task {
  return LoadEndpoint.task(async ({ model, release, seconds, connections }) => {
    const path = `/v2/models/${encodeURIComponent(model)}/infer`;
    const body = { parameters: { golden: true } };
    const measure = await deps.generator.run({ model, path, body, seconds, connections }, (text) => {
      const answer = Golden.safeParse(jsonOf(text));
      if (!answer.success) return 'an answer of another shape';
      const { digest, golden_matches: isPromised } = answer.data.parameters;
      if (digest !== release) return `${digest} answers`;
      return isPromised ? undefined : 'another probability than was promised';
    });
    const report = await writeDocument(deps.documents, LoadReport, {
      formatVersion: 1,
      model,
      release,
      generator: deps.generator.name,
      asks: 'golden',
      connections,
      measure,
    });
    return { finding: loadFinding(measure), report };
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
