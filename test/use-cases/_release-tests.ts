import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { digestOf, type Digest } from '#domain/canonical/digest.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { keys } from '#domain/ledger/keys.ts';
import { checkedRule } from '#domain/release-tests/artifact-rules.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { execute, TaskError } from '#local/statemachines/interpreter.ts';
import type { ArtifactScan } from '#ports/artifact-scan.ts';
import type { Endpoints } from '#ports/endpoints.ts';
import type { LoadGenerator } from '#ports/load-generator.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readRows } from '#serving/event-rows.ts';
import { InferenceRequest } from '#serving/protocol.ts';
import { replayRequests } from '#serving/replay.ts';
import { endpoint, online, TODAY, YESTERDAY } from '#test/serving/_endpoint.ts';
import { addDays } from '#domain/data/partition.ts';
import { concludeTests } from '#use-cases/release-tests/conclude-tests.ts';
import { findPredictions } from '#use-cases/release-tests/find-predictions.ts';
import { loadEndpoint } from '#use-cases/release-tests/load-endpoint.ts';
import { planTests } from '#use-cases/release-tests/plan-tests.ts';
import { recordLoad, recordScan, recordTests } from '#use-cases/release-tests/record-attestation.ts';
import { replayAnswers } from '#use-cases/release-tests/replay-answers.ts';
import { scanRelease } from '#use-cases/release-tests/scan-release.ts';
import { testBatch } from '#use-cases/release-tests/test-batch.ts';
import { testEndpoint } from '#use-cases/release-tests/test-endpoint.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { Task } from '#use-cases/task.ts';
import { admitDays } from './_admitted.ts';
import { bytes, MODEL } from './_environments.ts';
import { withGoldenRequest } from './_releases.ts';

const EVENT = { who: 'ann', seat: '7', row: 3, born: '1990-02-28', vip: true, price: 0.5 };
const ROWS = ['e1', 'e2', 'e3'].map((id, at) => ({ id, ...EVENT, seat: 7, at: `${YESTERDAY}T08:0${at}:00.000000Z` }));
const GOLDEN = {
  formatVersion: 1 as const,
  day: '2001-01-14',
  events: [{ id: 'g1', ...EVENT, at: '2001-01-14T08:00:00.000Z' }],
  context: [],
  probabilities: [0.1],
};
/** What a release says of each event: the digits of its name, as the server's tests have it. */
const SAID = 0.1;

/** A served release with an endpoint, a day that its batch run has published, and what a test may break of it. */
export async function tested(of = online) {
  const here = await endpoint();
  const { prod } = here;
  const plain = await here.release('release 100', of);
  const release = of.online === undefined ? plain : await withGoldenRequest(prod.releases, plain, GOLDEN, []);
  await here.promote(release);
  await here.aggregates(addDays(TODAY, -3), YESTERDAY, of);
  const text = JSON.stringify(ROWS);
  await admitDays(prod.ledger, YESTERDAY, YESTERDAY, { content: text });
  prod.lake.sources.set(`toy/events/dt=${YESTERDAY}/part.parquet`, bytes(text));

  /** What the batch run of a release has published of the day. */
  const publish = async (by: Digest = release, content = `MODEL release 100 of features`): Promise<void> => {
    const planned = featurePlanner(of, prod.engine, await readCatalogue(prod.ledger, MODEL))(YESTERDAY);
    if (!planned.ready) throw new Error('the features are not ready');
    const { digest: features } = planned;
    prod.lake.objects.set(`${MODEL}/features/${features}`, {
      content: bytes('features'),
      sha256: digestOf('features'),
      rows: 3,
    });
    const object = { bucket: 'lake', key: `predictions of ${by}`, versionId: '1', sha256: digestOf(content), size: 9 };
    prod.lake.sources.set(object.key, bytes(content));
    const { schemas } = openManifest(await prod.releases.read(by));
    const manifest = {
      formatVersion: 1,
      model: MODEL,
      day: YESTERDAY,
      features,
      release: by,
      scorer: prod.scorer,
      schema: schemas.output,
      object,
      rows: 3,
      lineage: null,
      run: 'batch-1',
      epoch: 1,
      publishedAt: `${TODAY}T05:00:00.000Z`,
    };
    await prod.ledger.transact(
      [{ kind: 'put', item: { ...keys.prediction(MODEL, YESTERDAY), ...manifest } }],
      digestOf(content + by).slice(7, 40),
    );
  };

  const endpoints: Endpoints = {
    models: of.online === undefined ? [] : [MODEL],
    async post(_, path, body) {
      const { status, body: answer } = await here.send('POST', path, body);
      return { status, text: answer };
    },
    async get(_, path) {
      const { status, body } = await here.send('GET', path);
      return { status, text: body };
    },
  };
  const generator: LoadGenerator = {
    name: 'four requests',
    async run({ model, path, body, seconds }, whyWrong) {
      const failures: string[] = [];
      for (let sent = 0; sent < 4; sent += 1) {
        const { status, text: answer } = await parts.endpoints.post(model, path, body);
        const why = status === 200 ? whyWrong(answer) : `${status}: ${answer}`;
        if (why !== undefined) failures.push(why.slice(0, 200));
      }
      const latencyMs = { p50: 5, p90: 8, p99: 9, max: 9 };
      return { requests: 4, failed: failures.length, seconds, latencyMs, statuses: { 200: 4 }, failures };
    },
  };
  const scan: ArtifactScan = {
    checkModel: () => [checkedRule('onnx-readable', 'model.onnx', undefined)],
    checkSql: async () => [checkedRule('feature-sql', 'features/daily.sql', undefined)],
  };
  const parts = {
    endpoints,
    generator,
    scan,
    requests: memoryRequestStore(),
    predictions: new Map(ROWS.map(({ id }) => [id, SAID])),
    replayed: here.serving,
  };

  /** Runs the machine with every use-case. */
  const run = (
    input: object = {},
    { name = 'tests-1', before }: { name?: string; before?: (state: string, visit: number) => unknown } = {},
  ) => {
    const scoredRows = async () =>
      [...parts.predictions].map(([row, prediction]) => ({ row, entity: null, prediction }));
    const { artifacts, lake, scoring, features } = parts.replayed;
    const serving = { artifacts, lake, scoring, features, documents: prod.documents };
    const probing = { ...prod, endpoints: parts.endpoints };
    const tasks: Readonly<Record<string, Task>> = {
      'Plan tests': planTests(prod),
      'Scan release': scanRelease({ ...prod, scan: parts.scan }),
      'Record scan': recordScan(prod),
      'Find predictions': findPredictions(prod),
      'Test batch': testBatch({ ...prod, readRows: scoredRows }),
      'Test endpoint': testEndpoint(probing),
      'Replay answers': replayAnswers({
        documents: prod.documents,
        requests: parts.requests,
        releases: prod.releases,
        replaying: {
          read: (definition, body) => readRows(definition, InferenceRequest.parse(body)),
          replay: (model, given, folder) => replayRequests({ ...serving, model, folder }, given),
        },
      }),
      'Record tests': recordTests(prod),
      'Load endpoint': loadEndpoint({ generator: parts.generator, documents: prod.documents }),
      'Record load': recordLoad(prod),
      'Conclude tests': concludeTests(prod),
      'Record failure': recordRunFailure(prod),
    };
    return execute(
      'release-tests',
      { model: MODEL, ...input },
      async ({ state, payload, visit }) => {
        await before?.(state, visit);
        try {
          return JSON.parse(JSON.stringify(await tasks[state]?.(payload['input']))) as unknown;
        } catch (error) {
          throw new TaskError('Runtime.HandlerError', error instanceof Error ? error.message : String(error));
        }
      },
      name,
    );
  };
  const attested = async () => (await prod.chain()).filter(({ code }) => code === 'ATTESTED');
  const found = async (gate: string): Promise<unknown> =>
    (await attested()).find(({ details }) => details['gate'] === gate)?.details['finding'];
  return { here, prod, release, parts, publish, run, attested, found };
}
