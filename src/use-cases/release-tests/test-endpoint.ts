import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { requestOf } from '#domain/prediction/inference-request.ts';
import { EndpointRequests } from '#domain/release-tests/documents.ts';
import { type TestResult, testResult, TestResults } from '#domain/release-tests/test-result.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { Endpoints } from '#ports/endpoints.ts';
import { readPointer } from '#read-model/pointer.ts';
import { type Probing, probe } from '#use-cases/alarm/probe-endpoint.ts';
import { messageOf } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { EndpointAnswers } from './endpoint-answers.ts';

export const TestEndpoint = contract({
  input: z.object({
    model: z.string(),
    release: Digest,
    serving: z.enum(['endpoint', 'batch']),
    requests: Digest.nullable(),
  }),
  output: z.object({ tests: TestResults, answers: Digest.nullable() }),
});

const Metadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  inputs: z.array(z.object({ name: z.string(), datatype: z.string() })),
});

/** An answer with its receipt, as much of it as is compared and replayed. */
const Answer = z.object({
  model_version: z.string(),
  parameters: z.object({
    digest: Digest,
    arm: z.literal('champion'),
    epoch: z.int(),
    pointer_seq: z.int(),
    aggregates: z.string(),
    aggregates_until: z.string(),
    context_digest: Digest,
  }),
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.union([z.number(), z.string()])) })),
});

type Testing = Probing & { readonly endpoints: Endpoints; readonly documents: ArtifactStore };

/** Tests the endpoint of a release as a consumer would: what it says of itself, its golden request, and events of a published day. */
export function testEndpoint(deps: Testing): Task {
  return TestEndpoint.task(async ({ model, release, serving, requests }) => {
    if (serving === 'batch') {
      const skipped = (name: string) => testResult(name, 'skipped', 'the model answers no requests');
      return { tests: ['smoke test', 'golden request', 'events'].map(skipped), answers: null };
    }
    const metadata = await smoke(deps, model, release);
    const golden = await goldenTest(deps, model, release);
    if (requests === null) {
      const none = testResult('events', 'failed', 'no event of a published day can be compared');
      return { tests: [metadata.test, golden, none], answers: null };
    }
    // Without them nothing can be asked for: what else was found says why.
    if (metadata.inputs.length === 0) {
      const unsent = testResult('events', 'failed', 'nothing was sent: the smoke test failed');
      return { tests: [metadata.test, golden, unsent], answers: null };
    }
    const asked = await ask(deps, { model, release, requests, inputs: metadata.inputs });
    return { tests: [metadata.test, golden, ...asked.tests], answers: asked.answers };
  });
}

/** What the endpoint says of itself: ready, and the version of the release. */
async function smoke(
  { endpoints, ledger }: Testing,
  model: string,
  release: Digest,
): Promise<{ readonly test: TestResult; readonly inputs: z.infer<typeof Metadata>['inputs'] }> {
  const failed = (found: string) => ({ test: testResult('smoke test', 'failed', found), inputs: [] });
  const base = `/v2/models/${encodeURIComponent(model)}`;
  if (!endpoints.models.includes(model)) return failed('there is no endpoint');
  try {
    const pointer = await readPointer(ledger, model);
    if (pointer?.current !== release)
      return failed(`the pointer names ${pointer?.current ?? 'nothing'}, not ${release}`);
    const ready = await endpoints.get(model, `${base}/ready`);
    if (ready.status !== 200) return failed(`ready says ${ready.status}: ${ready.text}`);
    const { status, text } = await endpoints.get(model, base);
    if (status !== 200) return failed(`metadata say ${status}: ${text}`);
    const said = Metadata.safeParse(JSON.parse(text));
    if (!said.success) return failed(`metadata of another shape: ${text}`);
    const { name, versions, inputs } = said.data;
    if (name !== model || !versions.includes(pointer.version))
      return failed(`metadata name ${name}@${versions.join(', ')}, expected ${model}@${pointer.version}`);
    return { test: testResult('smoke test', 'passed', `${name}@${pointer.version} is ready`), inputs };
  } catch (error) {
    return failed(messageOf(error));
  }
}

async function goldenTest(deps: Testing, model: string, release: Digest): Promise<TestResult> {
  const said = await probe(deps, model);
  if (said.status === 'none') return testResult('golden request', 'failed', 'nothing answers it');
  if (said.status !== 'answered') return testResult('golden request', 'failed', said.found);
  if (said.release !== release) return testResult('golden request', 'failed', `${said.release} answers`);
  return testResult('golden request', 'passed', 'each probability is the promised one');
}

/** Sends events one by one, compares each answer with the published prediction, and keeps what was answered. */
async function ask(
  deps: Testing,
  about: {
    readonly model: string;
    readonly release: Digest;
    readonly requests: Digest;
    readonly inputs: z.infer<typeof Metadata>['inputs'];
  },
): Promise<{ readonly tests: readonly TestResult[]; readonly answers: Digest | null }> {
  const { model, release, inputs } = about;
  const { day, requests } = await readDocument(deps.documents, EndpointRequests, about.requests);
  const path = `/v2/models/${encodeURIComponent(model)}/infer`;
  const answers: z.input<typeof EndpointAnswers>['answers'] = [];
  const wrong: string[] = [];
  const different: string[] = [];
  let compared = 0;
  for (const { id, event, context, published } of requests) {
    const startedAt = deps.clock.now();
    try {
      const sent = requestOf({ inputs }, { events: [event], context });
      const { status, text } = await deps.endpoints.post(model, path, sent);
      const answer = status === 200 ? Answer.safeParse(JSON.parse(text)) : undefined;
      if (answer?.success !== true || answer.data.parameters.digest !== release) {
        wrong.push(
          `event ${id}: ${answer?.success === true ? `${answer.data.parameters.digest} answers` : `${status}: ${text}`}`,
        );
        continue;
      }
      const { parameters, outputs, model_version: version } = answer.data;
      const first = (name: string) => outputs.find((each) => each.name === name)?.data[0];
      const probability = Number(first('probability') ?? Number.NaN);
      const answered = {
        formatVersion: 1 as const,
        request: `release-test-${answers.length + 1}`,
        model,
        version,
        release,
        arm: parameters.arm,
        epoch: parameters.epoch,
        pointerSeq: parameters.pointer_seq,
        aggregates: parameters.aggregates === '' ? null : Digest.parse(parameters.aggregates),
        aggregatesUntil: parameters.aggregates_until === '' ? null : parameters.aggregates_until,
        context: parameters.context_digest,
        day,
        startedAt: startedAt.toISOString(),
        milliseconds: Math.max(0, deps.clock.now().getTime() - startedAt.getTime()),
        events: [{ id, digest: Digest.parse(first('event_digest')), probability }],
      };
      answers.push({ sent, answered });
      if (published === null) continue;
      compared += 1;
      if (!Object.is(published, probability))
        different.push(`event ${id}: the endpoint says ${probability}, the batch ${published}`);
    } catch (error) {
      wrong.push(`event ${id}: ${messageOf(error)}`);
    }
  }
  const some = (problems: readonly string[]): string =>
    `${problems.length} of ${requests.length}: ${problems[0] ?? ''}`;
  const tests = [
    requests.length === 0 || wrong.length > 0
      ? testResult('events', 'failed', requests.length === 0 ? `no event of ${day} can be sent` : some(wrong))
      : testResult('events', 'passed', `${requests.length} of ${day} are answered by the release`),
    compared === 0 || different.length > 0
      ? testResult('endpoint and batch', 'failed', compared === 0 ? 'no answer could be compared' : some(different))
      : testResult('endpoint and batch', 'passed', `${compared} answers of ${day} are the published predictions`),
  ];
  if (answers.length === 0) return { tests, answers: null };
  const kept = { formatVersion: 1 as const, model, answers };
  return { tests, answers: await writeDocument(deps.documents, EndpointAnswers, kept) };
}
