import { z } from 'zod';
import type { Attested } from '#domain/attestation/attestation.ts';
import { LoadFinding, ScanFinding } from '#domain/attestation/finding.ts';
import { GatehouseError } from '#domain/error.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { ReleaseTestReport, testFinding, TestResults } from '#domain/release-tests/test-result.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { writeDocument } from '#ports/documents.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** Whose execution found something, and of which release. */
const About = { model: z.string(), release: Digest, run: z.string(), execution: z.string() };
const Recorded = z.object({ status: z.literal('recorded'), seq: z.int() });

export const RecordScan = contract({
  input: z.object({ ...About, found: z.object({ finding: ScanFinding, report: Digest }) }),
  output: Recorded,
});
export const RecordLoad = contract({
  input: z.object({ ...About, found: z.object({ finding: LoadFinding, report: Digest }) }),
  output: Recorded,
});
export const RecordTests = contract({
  input: z.object({
    ...About,
    batch: z.object({ tests: TestResults, requests: Digest.nullable() }),
    endpoint: z.object({ tests: TestResults, answers: Digest.nullable() }),
    replay: z.object({ tests: TestResults }),
  }),
  output: Recorded,
});

type Gate = Attested['gate'];

/** The operation by which an execution attests something of a gate: it does so once. */
export function attestingOperation(run: string, gate: Gate): string {
  return operationName('attested', 'release-tests', run, gate);
}

/** Records what a scan of a release's files has found. */
export function recordScan(deps: Recording): Task {
  return RecordScan.task(({ found, ...about }) => attest(deps, about, { gate: 'security-scan', ...found }));
}

/** Records what a run of load has found. */
export function recordLoad(deps: Recording): Task {
  return RecordLoad.task(({ found, ...about }) => attest(deps, about, { gate: 'load', ...found }));
}

/** Joins the tests of all functions, keeps them as a report, and records what they come to. */
export function recordTests(deps: Recording & { readonly documents: ArtifactStore }): Task {
  return RecordTests.task(async ({ batch, endpoint, replay, ...about }) => {
    const tests = [...endpoint.tests, ...replay.tests, ...batch.tests];
    const { model, release, run } = about;
    const report = await writeDocument(deps.documents, ReleaseTestReport, {
      formatVersion: 1,
      model,
      release,
      run,
      tests,
      requests: batch.requests,
      answers: endpoint.answers,
    });
    return attest(deps, about, { gate: 'integration-tests', finding: testFinding(tests), report });
  });
}

async function attest(
  deps: Recording,
  about: { readonly model: string; readonly release: Digest; readonly run: string; readonly execution: string },
  attested: Pick<Attested, 'gate' | 'finding' | 'report'>,
): Promise<{ status: 'recorded'; seq: number }> {
  const { model, release, run, execution } = about;
  const recorded = await recordChange(deps, {
    model,
    operation: attestingOperation(run, attested.gate),
    writes: [],
    event: {
      code: 'ATTESTED',
      actor: 'pipeline:release-tests',
      release,
      details: {
        ...attested,
        commit: null,
        producer: { kind: 'pipeline', environment: deps.environment, execution },
        format: 'gatehouse',
      },
    },
  });
  if (recorded.kind === 'refused')
    throw new GatehouseError('CHAIN_CONTENDED', 'the attestation was not recorded; try again', { model });
  return { status: 'recorded', seq: recorded.seq };
}
