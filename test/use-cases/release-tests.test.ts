import { beforeEach, describe, expect, it } from 'vitest';
import { TestFinding } from '#domain/attestation/finding.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { ArtifactScanReport, checkedRule } from '#domain/release-tests/artifact-rules.ts';
import { LoadReport } from '#domain/release-tests/load-report.ts';
import { ReleaseTestReport } from '#domain/release-tests/test-result.ts';
import { readDocument } from '#ports/documents.ts';
import { online } from '#test/serving/_endpoint.ts';
import { hours, MODEL, world } from './_environments.ts';
import { planTests } from '#use-cases/release-tests/plan-tests.ts';
import { tested } from './_release-tests.ts';

let on: Awaited<ReturnType<typeof tested>>;
const judgement = (document: Record<string, unknown>) => document['judgement'] as { reasons: string[]; status: string };
const failures = async () => TestFinding.parse(await on.found('integration-tests')).failures.join('\n');

describe('a release that serves well', () => {
  beforeEach(async () => {
    on = await tested();
    await on.publish();
  });

  it('is attested once by an execution, with its reports, and nothing of load is in the request log', async () => {
    const { path, document } = await on.run();
    expect(judgement(document).reasons.join('\n')).toMatch(/3 rules checked, 0 broken\n.*7 passed.*\n.*4 requests, 0/);
    expect(path.at(-1)).toBe('Tested');
    await on.run();
    const records = await on.attested();
    expect(records.map(({ release, details }) => [release, details['gate'], details['commit']])).toEqual([
      [on.release, 'security-scan', null],
      [on.release, 'integration-tests', null],
      [on.release, 'load', null],
    ]);
    expect(records[0]?.details).toMatchObject({
      format: 'gatehouse',
      producer: { kind: 'pipeline', environment: 'prod', execution: 'arn:tests-1' },
    });
    const [scan, tests, load] = records.map(({ details }) => Digest.parse(details['report']));
    const { documents } = on.prod;
    expect((await readDocument(documents, ArtifactScanReport, Digest.parse(scan))).checks).toHaveLength(3);
    expect((await readDocument(documents, LoadReport, Digest.parse(load))).measure.requests).toBe(4);
    const report = await readDocument(documents, ReleaseTestReport, Digest.parse(tests));
    expect(report.tests.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'smoke test passed',
      'golden request passed',
      'events passed',
      'endpoint and batch passed',
      'replay passed',
      'batch run passed',
      'batch scored again passed',
    ]);
    // Three events of two executions; golden requests are no predictions.
    expect(on.here.log.entries).toHaveLength(6);
  });

  it('has its request log computed again as well', async () => {
    await on.run();
    await on.parts.requests.add(on.here.log.entries);
    const { document } = await on.run({ gates: ['integration-tests'] }, { name: 'tests-2' });
    expect(judgement(document).status).toBe('passed');
    const last = Digest.parse((await on.attested()).at(-1)?.details['report']);
    const { tests } = await readDocument(on.prod.documents, ReleaseTestReport, last);
    expect(tests.find(({ name }) => name === 'replay')?.found).toBe(
      '6 answers are computed again, bit for bit; 3 requests are of the log',
    );
  });

  it('is tested for what was asked only', async () => {
    const { path } = await on.run({ release: on.release, gates: ['load'], requestedBy: 'person:ops' });
    expect(path.at(-1)).toBe('Tested');
    expect((await on.attested()).map(({ details }) => details['gate'])).toEqual(['load']);
  });

  const post = (status: number) => () => {
    const { endpoints } = on.parts;
    on.parts.endpoints = {
      ...endpoints,
      post: async (model, path, body) =>
        'inputs' in body ? { status, text: '{"error":"down"}' } : endpoints.post(model, path, body),
    };
  };
  const BREAKAGES: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['is not served any more', async () => on.here.promote(await on.here.release('release 200')), /the pointer names/],
    ['is not ready', () => (on.here.clock.at += hours(24 * 9)), /smoke test: ready says 503: .*aggregates/],
    ['answers otherwise than its batch', () => on.parts.predictions.set('e2', 0.3), /e2: the endpoint says 0.1, the/],
    ['has nothing to compare', () => on.parts.predictions.clear(), /endpoint and batch: no answer could be compared/],
    ['refuses events', post(422), /events: 3 of 3: event e1: 422: .*down/],
    ['fails requests', post(500), /replay: there is no answer of the release/],
    ['has published other bytes', () => on.publish(on.release, 'other'), /batch scored again: 10 rows of/],
    [
      'is computed otherwise',
      () => {
        const open = async () => ({
          kind: 'loaded' as const,
          model: { predict: async () => [0.2], close: async () => {} },
        });
        on.parts.replayed = { ...on.parts.replayed, scoring: { open } };
      },
      /replay: 3 of 3: event e1: answered 0.1, computed 0.2/,
    ],
  ];
  it.each(BREAKAGES)('fails where it %s', async (_, breaks, found) => {
    await breaks();
    const { path } = await on.run({ release: on.release, gates: ['integration-tests'] });
    expect(await failures()).toMatch(found);
    expect(path.at(-1)).toBe('Found faulty');
  });

  it('fails under load that it does not answer as promised', async () => {
    const { endpoints } = on.parts;
    let count = 0;
    on.parts.endpoints = {
      ...endpoints,
      async post(model, path, body) {
        const answer = await endpoints.post(model, path, body);
        count += 1;
        if (count === 1) return { status: 503, text: 'busy' };
        return count === 2
          ? { ...answer, text: answer.text.replace('"golden_matches":true', '"golden_matches":false') }
          : answer;
      },
    };
    const { path } = await on.run({ gates: ['load'] });
    expect(await on.found('load')).toMatchObject({ requests: 4, failed: 2, throughput: 0.2 });
    expect(path.at(-1)).toBe('Found faulty');
  });

  it('fails by a rule that its files break, and by files that are gone', async () => {
    on.parts.scan = { ...on.parts.scan, checkModel: () => [checkedRule('onnx-finite', 'model.onnx', 'a NaN')] };
    const { document } = await on.run({ gates: ['security-scan'] });
    expect(await on.found('security-scan')).toMatchObject({
      tool: 'artifact',
      checked: 3,
      open: [{ id: 'onnx-finite', severity: 'critical', of: 'model.onnx' }],
    });
    expect(judgement(document)).toEqual({
      status: 'failed',
      reasons: ['security-scan: 3 rules checked, 1 broken; onnx-finite in model.onnx'],
    });
    on.prod.releases.objects.delete(on.release);
    const gone = await on.run({ release: on.release }, { name: 'tests-2' });
    expect(judgement(gone.document).reasons.join('\n')).toMatch(/integration-tests: the release is damaged.*1 broken/s);
    expect((await on.attested()).at(-1)?.details['finding']).toMatchObject({
      checked: 1,
      open: [{ id: 'release-files' }],
    });
  });

  it('leaves what was recorded before a fault, and the fault is recorded', async () => {
    const { path } = await on.run(
      {},
      {
        before: (state) => {
          if (state === 'Test batch') on.prod.lake.objects.clear();
        },
      },
    );
    expect(path.slice(-2)).toEqual(['Record failure', 'Failed']);
    expect((await on.prod.codes()).slice(-2)).toEqual(['ATTESTED', 'RUN_FAILED']);
  });
});

describe('a batch run', () => {
  beforeEach(async () => {
    on = await tested();
  });

  it('is waited for, by what it has left to do', async () => {
    const { path } = await on.run(
      {},
      { before: (state, visit) => (state === 'Find predictions' && visit === 2 ? on.publish() : undefined) },
    );
    expect(path.filter((state) => state === 'Wait for predictions')).toHaveLength(2);
    expect(path.at(-1)).toBe('Tested');
  });

  it('fails the tests where it is waited for in vain, or another release has published', async () => {
    on.here.clock.at += 45 * 60_000;
    await on.run({ gates: ['integration-tests'] });
    expect(await failures()).toMatch(/batch run: after 45 minutes the batch run has left 1 days to score/);
    expect(await failures()).toMatch(/events: no event of a published day can be compared/);
  });
});

it('of a model that answers no requests, the batch run alone is tested, and load is none of its gates', async () => {
  const { online: _online, ...rest } = online;
  on = await tested(rest);
  await on.publish();
  const { path } = await on.run();
  expect(path.at(-1)).toBe('Tested');
  expect(await on.found('integration-tests')).toEqual({
    kind: 'tests',
    passed: 2,
    failed: 0,
    skipped: 4,
    failures: [],
  });
  expect((await on.attested()).map(({ details }) => details['gate'])).toEqual(['security-scan', 'integration-tests']);
});

it('where nothing is served, nothing is tested', async () => {
  const planned = await planTests(world().environment('staging'))({ request: { model: MODEL }, run: 'tests-1' });
  expect(planned).toEqual({ status: 'idle', reason: 'nothing is in production here' });
});
