/** A function that does what its event, or the path of its request, says. */
const WORKER = `
exports.handler = async ({ rawPath, does = rawPath?.slice(1), line, answer }) => {
  if (does === 'throw') throw new Error('thrown');
  if (does === 'crash') process.exit(3);
  if (does === 'sleep') await new Promise((resolve) => setTimeout(resolve, 5_000));
  if (does === 'refuse') return { statusCode: 404, body: 'no' };
  if (line !== undefined) process.stdout.write(line + '\\n');
  return { statusCode: 200, body: 'done' };
};`;

/** A function that is invoked by alarms, and measures what it is told. */
const LISTENER = `
exports.handler = async ({ source, accountId, alarmData: { alarmName, state, previousState } }) => {
  const directive = { Namespace: 'Heard', Dimensions: [['alarm', 'change']], Metrics: [{ Name: 'Events' }] };
  const change = [source, accountId, previousState.value, state.value].join(' ');
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [directive] };
  console.log(JSON.stringify({ _aws, alarm: alarmName, change, Events: 1 }));
};`;

const fn = (FunctionName: string, ZipFile: string, own: object = {}): object => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    FunctionName,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Role: 'arn:aws:iam::444444444444:role/any',
    Timeout: 1,
    Code: { ZipFile },
    ...own,
  },
});

const alarm = (AlarmName: string, metric: object, Dimensions: readonly object[], own: object = {}): object => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    AlarmName,
    ...metric,
    Dimensions,
    Statistic: 'Sum',
    Period: 120,
    EvaluationPeriods: 1,
    Threshold: 0,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching',
    AlarmActions: [{ Ref: 'Topic' }, { Ref: 'Live' }],
    ...own,
  },
});

const ERRORS = { Namespace: 'AWS/Lambda', MetricName: 'Errors' };

const route = (name: string, target: string): Readonly<Record<string, object>> => ({
  [`${name}Integration`]: {
    Type: 'AWS::ApiGatewayV2::Integration',
    Properties: {
      ApiId: { Ref: 'Api' },
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
      IntegrationUri: { 'Fn::GetAtt': [target, 'Arn'] },
    },
  },
  [`${name}Route`]: {
    Type: 'AWS::ApiGatewayV2::Route',
    Properties: {
      ApiId: { Ref: 'Api' },
      RouteKey: `GET /${name === 'Worker' ? '{path+}' : name.toLowerCase()}`,
      Target: { 'Fn::Join': ['/', ['integrations', { Ref: `${name}Integration` }]] },
    },
  },
});

/** Functions, an HTTP API before them, and alarms on what they do. */
export const TEMPLATE = {
  Resources: {
    A: fn('a', WORKER),
    B: fn('b', WORKER),
    Throttled: fn('throttled', WORKER),
    Listener: fn('listener', LISTENER, { Timeout: 10 }),
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Listener' } } },
    Live: {
      Type: 'AWS::Lambda::Alias',
      Properties: {
        Name: 'live',
        FunctionName: { Ref: 'Listener' },
        FunctionVersion: { 'Fn::GetAtt': ['Version', 'Version'] },
      },
    },
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'api', ProtocolType: 'HTTP' } },
    Stage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
    },
    ...route('Worker', 'B'),
    ...route('Throttled', 'Throttled'),
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'alerts' } },
    Subscription: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: { Ref: 'Topic' },
        Protocol: 'sqs',
        Endpoint: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        RawMessageDelivery: true,
      },
    },
    OfA: alarm('errors-of-a', ERRORS, [{ Name: 'FunctionName', Value: 'a' }]),
    OfListener: alarm('errors-of-listener', ERRORS, [{ Name: 'FunctionName', Value: 'listener' }]),
    OfApi: alarm('errors-of-api', { Namespace: 'AWS/ApiGateway', MetricName: '5xx' }, [
      { Name: 'ApiId', Value: { Ref: 'Api' } },
    ]),
    Rows: alarm('rows', { Namespace: 'N', MetricName: 'Rows' }, [{ Name: 'model', Value: 'm' }], {
      Threshold: 10,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'missing',
    }),
  },
  Outputs: { Api: { Value: { Ref: 'Api' } }, Queue: { Value: { Ref: 'Queue' } } },
};
