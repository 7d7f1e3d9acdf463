import { describe, expect, it, test } from 'vitest';
import { embeddedMetrics as emitter } from '#adapters/aws/metrics.ts';
import { readEmbedded } from '#local/cloudwatch/embedded.ts';
import { apiMetrics, embeddedMetrics, executionMetrics } from '#local/cloudwatch/records.ts';

const NOW = Date.parse('2026-11-30T08:00:00Z');

type Document = Readonly<Record<string, unknown>>;

const document = (own: Document = {}, about: Document = {}, directive: Document = {}): Document => ({
  _aws: {
    Timestamp: NOW,
    CloudWatchMetrics: [
      { Namespace: 'N', Dimensions: [['model']], Metrics: [{ Name: 'Rows', Unit: 'Count' }], ...directive },
    ],
    ...about,
  },
  model: 'm',
  Rows: 3,
  ...own,
});

/** Each sample as `namespace name {dimensions} = value unit`. */
const shown = (line: string): unknown => {
  const read = readEmbedded(line, NOW);
  return 'error' in read
    ? `${read.error} ${read.found}`
    : read.measured.map(
        ({ metric, sample }) =>
          `${metric.namespace} ${metric.name} ${JSON.stringify(metric.dimensions)} = ${sample.sum} ${sample.unit}`,
      );
};

describe('a line in the embedded metric format', () => {
  test('measures each metric by each set of dimensions, and each value of a list', () => {
    const directive = { Dimensions: [['model'], []], Metrics: [{ Name: 'Rows', Unit: 'Count' }, { Name: 'Bytes' }] };
    expect(shown(JSON.stringify(document({ Bytes: [1, 2] }, {}, directive)))).toEqual([
      'N Rows {"model":"m"} = 3 Count',
      'N Bytes {"model":"m"} = 1 None',
      'N Bytes {"model":"m"} = 2 None',
      'N Rows {} = 3 Count',
      'N Bytes {} = 1 None',
      'N Bytes {} = 2 None',
    ]);
  });

  test('may follow what the runtime writes before it', () => {
    expect(shown(`2026-11-30T08:00:00.000Z\tid\tINFO\t${JSON.stringify(document())}`)).toHaveLength(1);
  });

  test('is what the product writes', () => {
    const lines: string[] = [];
    emitter({ now: () => new Date(NOW) }, (line) => lines.push(line)).emit(
      { environment: 'prod', model: 'm' },
      { StableInputIndex: 0.2 },
    );
    expect(lines.map(shown)).toEqual([['Gatehouse StableInputIndex {"environment":"prod","model":"m"} = 0.2 None']]);
  });

  test('is told from another document that has the word in it', () => {
    expect(shown('{"message":"\\"_aws\\""}')).toEqual([]);
  });

  it.each([
    ['{"_aws": {"Timestamp"', /^EMFParsingErrors /],
    [JSON.stringify({ _aws: {} }), /^EMFValidationErrors _aws.Timestamp/],
    [JSON.stringify(document({}, { Timestamp: NOW - 15 * 86_400_000 })), /^EMFValidationErrors _aws.Timestamp: .* old/],
    [JSON.stringify(document({ model: 3 })), 'EMFValidationErrors model: is no value of a dimension'],
    [JSON.stringify(document({ model: undefined })), 'EMFValidationErrors model: is no value of a dimension'],
    [JSON.stringify(document({ Rows: 'three' })), 'EMFValidationErrors Rows: is no number and no list of them'],
    [JSON.stringify(document({ Rows: Array.from({ length: 101 }, () => 1) })), /^EMFValidationErrors Rows/],
    [JSON.stringify(document({}, {}, { Namespace: '' })), /^EMFValidationErrors _aws.CloudWatchMetrics.0.Namespace/],
  ])('that breaks the format measures nothing: %.60s', (line, found) => {
    expect(shown(line)).toEqual(typeof found === 'string' ? found : expect.stringMatching(found));
  });
});

const EXECUTION = {
  account: '111111111111',
  function: 'f',
  resource: 'f:live',
  logGroup: '/aws/lambda/f',
  at: NOW,
  milliseconds: 40,
  outcome: 'succeeded' as const,
  embedded: [],
};

/** Each metric as `{dimensions} name value`, at the instant of what is recorded. */
const metrics = (recorded: ReturnType<typeof executionMetrics>): readonly string[] =>
  recorded.map(({ metric, sample }) => {
    expect(sample.at).toBe(NOW);
    return `${metric.namespace} ${Object.values(metric.dimensions).join(' ')} ${metric.name} ${sample.sum}`;
  });

test('a broken line is counted and said', () => {
  const said: string[] = [];
  const lines = [JSON.stringify(document()), '{"_aws":'];
  const recorded = embeddedMetrics({ ...EXECUTION, embedded: lines }, NOW, (message) => said.push(message));
  expect(metrics(recorded)).toEqual(['N m Rows 3', 'AWS/Logs /aws/lambda/f EMFParsingErrors 1']);
  expect(said).toEqual([expect.stringMatching(/^\/aws\/lambda\/f of 111111111111: a line .* is skipped/)]);
});

describe('an execution', () => {
  const of = (name: string) => (line: string) => line.includes(` ${name} `);

  it.each([
    ['succeeded', ['Invocations 1', 'Errors 0', 'Throttles 0', 'Duration 40']],
    ['failed', ['Invocations 1', 'Errors 1', 'Throttles 0', 'Duration 40']],
    // Not invoked: on AWS a throttled request is neither an invocation nor an error.
    ['throttled', ['Throttles 1']],
  ] as const)('that has %s is measured for the function, and for what it was invoked by', (outcome, values) => {
    const lines = metrics(executionMetrics({ ...EXECUTION, outcome }));
    for (const value of values)
      for (const dimensions of ['f', 'f f:live']) expect(lines).toContain(`AWS/Lambda ${dimensions} ${value}`);
    expect(lines).toHaveLength(2 * values.length);
    expect(lines.filter(of('Invocations'))).toHaveLength(outcome === 'throttled' ? 0 : 2);
  });
});

describe('a request to an HTTP API', () => {
  it.each([
    [200, 0, 0],
    [302, 0, 0],
    [403, 1, 0],
    [404, 1, 0],
    [502, 0, 1],
    [503, 0, 1],
  ])('that is answered by %i', (status, client, server) => {
    const request = { account: '111111111111', api: 'a1', stage: '$default', at: NOW, milliseconds: 12, status };
    expect(metrics(apiMetrics(request))).toEqual(
      ['a1', 'a1 $default'].flatMap((dimensions) =>
        ['Count 1', `4xx ${client}`, `5xx ${server}`, 'Latency 12'].map(
          (value) => `AWS/ApiGateway ${dimensions} ${value}`,
        ),
      ),
    );
  });
});
