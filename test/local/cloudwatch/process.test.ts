import { CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { clients, eventually, freshCloud, type TestCloud } from '../../_helpers/cloud.ts';
import { TEMPLATE } from './_stack.ts';

/** Control's, which unsigned HTTP reaches. */
const ACCOUNT = '444444444444';
const PYTHON = join(import.meta.dirname, '..', '..', '..', '.venv', 'bin', 'python');

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;
let outputs: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  // A minute is a second.
  cloud = await freshCloud({ timeScale: 60 });
  aws = clients(cloud, ACCOUNT);
  await aws
    .cloudFormation()
    .send(new CreateStackCommand({ StackName: 'watched', TemplateBody: JSON.stringify(TEMPLATE) }));
  outputs = await eventually('the stack', async () => {
    const { Stacks } = await aws.cloudFormation().send(new DescribeStacksCommand({ StackName: 'watched' }));
    const [stack] = Stacks ?? [];
    if (stack?.StackStatus?.endsWith('IN_PROGRESS') !== false) return undefined;
    if (stack.StackStatus !== 'CREATE_COMPLETE') throw new Error(`${stack.StackStatus}: ${stack.StackStatusReason}`);
    return Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  });
  // The emulator takes none for an unlimited number where a template says so.
  const throttled = { FunctionName: 'throttled', ReservedConcurrentExecutions: 0 };
  await aws.lambda().send(new PutFunctionConcurrencyCommand(throttled));
});
afterAll(() => cloud[Symbol.asyncDispose]());

const invoke = (FunctionName: string, payload: object) =>
  aws.lambda().send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));

/** The status of a request to the deployed API. */
const request = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(cloud.endpoint);
    const headers = { host: `${outputs['Api']}.execute-api.localhost:${port}` };
    get({ hostname, port, path, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', reject);
  });

/** The sum of a metric since the cloud has started, which at this scale is hours ago. */
async function sumOf(namespace: string, name: string, dimensions: Readonly<Record<string, string>>): Promise<number> {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const { MetricDataResults } = await aws.cloudWatch().send(
    new GetMetricDataCommand({
      MetricDataQueries: [
        {
          Id: 'sum',
          MetricStat: { Metric: { Namespace: namespace, MetricName: name, Dimensions }, Period: 86_400, Stat: 'Sum' },
        },
      ],
      StartTime: new Date(Date.now() - 86_400_000),
      EndTime: new Date(Date.now() + 60_000),
    }),
  );
  return (MetricDataResults?.[0]?.Values ?? []).reduce((sum, value) => sum + value, 0);
}

const stateOf = async (name: string): Promise<string | undefined> => {
  const { MetricAlarms } = await aws.cloudWatch().send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  return MetricAlarms?.[0]?.StateValue;
};
const inState = (name: string, state: string) =>
  eventually(`${name} in ${state}`, async () => ((await stateOf(name)) === state ? true : undefined));

const becomes = (expected: number, ...metric: Parameters<typeof sumOf>) =>
  eventually(`${JSON.stringify(metric)} = ${expected}`, async () =>
    (await sumOf(...metric)) === expected ? true : undefined,
  );

const Message = z.object({ AlarmName: z.string(), OldStateValue: z.string(), NewStateValue: z.string() });
const messages: string[] = [];
/** What the topic's subscriber has got so far. */
async function notified(): Promise<readonly string[]> {
  const { Messages } = await aws
    .sqs()
    .send(new ReceiveMessageCommand({ QueueUrl: outputs['Queue'], MaxNumberOfMessages: 10 }));
  for (const { Body = '' } of Messages ?? []) {
    const { AlarmName, OldStateValue, NewStateValue } = Message.parse(JSON.parse(Body));
    messages.push(`${AlarmName}: ${OldStateValue} -> ${NewStateValue}`);
  }
  return messages;
}

/** Waits until the function that alarms invoke has got the event of a transition. */
const heard = (alarm: string, from: string, to: string) =>
  becomes(1, 'Heard', 'Events', { alarm, change: `aws.cloudwatch ${ACCOUNT} ${from} ${to}` });

test('an alarm on one function goes to ALARM by its errors, and no other alarm does', async () => {
  await inState('errors-of-a', 'OK');
  await inState('errors-of-listener', 'OK');
  await invoke('a', { does: 'throw' });
  await heard('errors-of-a', 'OK', 'ALARM');
  await becomes(1, 'AWS/Lambda', 'Invocations', { FunctionName: 'listener', Resource: 'listener:live' });
  expect(await stateOf('errors-of-listener')).toBe('OK');
});

test('failures behind an HTTP API are its 5xx, and refusals its 4xx', async () => {
  const statuses = await Promise.all(['/ok', '/throw', '/crash', '/sleep', '/throttled', '/refuse'].map(request));
  expect(statuses).toEqual([200, 502, 502, 502, 503, 404]);
  const ApiId = outputs['Api'] ?? '';
  await becomes(6, 'AWS/ApiGateway', 'Count', { ApiId });
  await becomes(4, 'AWS/ApiGateway', '5xx', { ApiId, Stage: '$default' });
  await becomes(1, 'AWS/ApiGateway', '4xx', { ApiId });
  await becomes(3, 'AWS/Lambda', 'Errors', { FunctionName: 'b' });
  await becomes(5, 'AWS/Lambda', 'Invocations', { FunctionName: 'b' });
  await becomes(1, 'AWS/Lambda', 'Throttles', { FunctionName: 'throttled' });
  await becomes(0, 'AWS/Lambda', 'Invocations', { FunctionName: 'throttled' });
  await heard('errors-of-api', 'OK', 'ALARM');
});

test('metrics of a function’s log are read, and a broken line is said', async () => {
  await inState('rows', 'INSUFFICIENT_DATA');
  const directive = { Namespace: 'N', Dimensions: [['model']], Metrics: [{ Name: 'Rows' }] };
  const line = JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] }, model: 'm', Rows: 3 });
  await invoke('b', { line });
  await becomes(3, 'N', 'Rows', { model: 'm' });
  await heard('rows', 'INSUFFICIENT_DATA', 'ALARM');
  await invoke('b', { line: '{"_aws": {}}' });
  await becomes(1, 'AWS/Logs', 'EMFValidationErrors', { LogGroupName: '/aws/lambda/b' });
  expect(readFileSync(join(cloud.home, 'logs', 'cloudwatch.log'), 'utf8')).toContain('/aws/lambda/b of 444444444444');
});

test('a state that is set by hand acts like another, until the next evaluation', async () => {
  await aws
    .cloudWatch()
    .send(new SetAlarmStateCommand({ AlarmName: 'errors-of-listener', StateValue: 'ALARM', StateReason: 'a drill' }));
  await heard('errors-of-listener', 'OK', 'ALARM');
  await inState('errors-of-listener', 'OK');
});

test('botocore, which speaks CBOR, gets the same answers', async () => {
  const program = `
import boto3, datetime, json
cloudwatch = boto3.client("cloudwatch")
cloudwatch.put_metric_data(Namespace="P", MetricData=[{"MetricName": "m", "Values": [1.5, 2.0], "Counts": [2, 1]}] * 200)
now = datetime.datetime.now(datetime.timezone.utc)
answer = cloudwatch.get_metric_data(
    MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": {"Namespace": "P", "MetricName": "m"}, "Period": 3600, "Stat": "Sum"}}],
    StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1))
[result] = answer["MetricDataResults"]
[alarm] = cloudwatch.describe_alarms(AlarmNames=["rows"])["MetricAlarms"]
try:
    cloudwatch.get_metric_data(MetricDataQueries=[], StartTime=now, EndTime=now)
except cloudwatch.exceptions.ClientError as error:
    refused = error.response["Error"]["Code"]
age = now - result["Timestamps"][0]
print(json.dumps([result["Values"], age < datetime.timedelta(hours=2), alarm["Threshold"], alarm["StateUpdatedTimestamp"].year > 2000, refused]))
`;
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', program], {
    env: { ...cloud.environment, AWS_ACCESS_KEY_ID: ACCOUNT, PATH: dirname(PYTHON), HOME: cloud.home },
  });
  expect(JSON.parse(stdout)).toEqual([[1000], true, 10, true, 'ValidationError']);
});

test('what is not served is refused, and never answered from the emulator’s own metrics', async () => {
  const period = { StartTime: new Date(0), EndTime: new Date(), Period: 60 };
  await expect(
    aws.cloudWatch().send(new GetMetricStatisticsCommand({ Namespace: 'N', MetricName: 'Rows', ...period })),
  ).rejects.toThrow('does not serve GetMetricStatistics; GetMetricData reads metrics');
  const unsigned = await fetch(cloud.cloudwatchEndpoint, { method: 'POST', body: 'Action=ListMetrics' });
  expect([unsigned.status, await unsigned.text()]).toEqual([400, expect.stringContaining('AWS JSON 1.0')]);
  await expect(
    aws
      .cloudWatch()
      .send(new PutMetricDataCommand({ Namespace: 'AWS/Lambda', MetricData: [{ MetricName: 'Errors', Value: 1 }] })),
  ).rejects.toMatchObject({ message: expect.stringContaining('Namespace: must not begin with AWS/') });
});

test('when nothing breaches any more alarms go back, and each transition was told once', async () => {
  await inState('errors-of-a', 'OK');
  await inState('errors-of-api', 'OK');
  await inState('rows', 'INSUFFICIENT_DATA');
  const expected = [
    'errors-of-a: OK -> ALARM',
    'errors-of-api: OK -> ALARM',
    'errors-of-listener: OK -> ALARM',
    'rows: INSUFFICIENT_DATA -> ALARM',
  ];
  const told = await eventually('the messages', async () => {
    const received = await notified();
    return received.length >= expected.length ? received : undefined;
  });
  expect(told.toSorted()).toEqual(expected);
});
