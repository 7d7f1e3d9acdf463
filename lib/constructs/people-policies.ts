import { ManagedPolicy, PolicyStatement, Effect } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { MACHINES } from '#domain/environment/environment.ts';
import { Role } from '#domain/policy/policy.ts';
import { type Acts, policyName } from '#model/define-ownership.ts';
import type { Names } from '#model/names.ts';

export interface PeoplePoliciesProps {
  readonly names: Names;
  readonly acts: Acts;
  /** The user pool, where there is one. */
  readonly userPoolArn?: string;
}

/**
 * What each role may do with AWS credentials of an account, as a managed policy that its owner attaches to the people who have the role:
 * all of them read, and start the machines that the division of work names. None of them writes a ledger, a bucket or a key.
 */
export class PeoplePolicies extends Construct {
  constructor(scope: Construct, id: string, { names, acts, userPoolArn }: PeoplePoliciesProps) {
    super(scope, id);
    for (const role of Role.options) {
      const machines = MACHINES[names.environment].filter((machine) => acts.machines[machine]?.includes(role) === true);
      const administers = userPoolArn !== undefined && acts.users.includes(role);
      new ManagedPolicy(this, role, {
        managedPolicyName: policyName(names.environment, role),
        description: `what the role ${role} may do in ${names.environment} of Gatehouse`,
        statements: [
          ...reading(names),
          ...(machines.length === 0
            ? []
            : [
                allow(
                  ['states:StartExecution'],
                  machines.map((machine) => names.stateMachineArn(machine)),
                ),
              ]),
          ...(acts.requests.includes(role) ? [] : [withoutRawEvents(names)]),
          ...(administers ? [allow(USER_ADMINISTRATION, [userPoolArn])] : []),
        ],
      });
    }
  }
}

/** What `gatehouse user` calls. */
const USER_ADMINISTRATION = [
  'cognito-idp:AdminAddUserToGroup',
  'cognito-idp:AdminCreateUser',
  'cognito-idp:AdminDeleteUser',
  'cognito-idp:AdminListGroupsForUser',
  'cognito-idp:AdminRemoveUserFromGroup',
  'cognito-idp:AdminSetUserPassword',
  'cognito-idp:ListUsers',
  'cognito-idp:ListUsersInGroup',
];

function allow(actions: readonly string[], resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] });
}

/** What the reading commands call: tables, stored objects, executions, stack outputs, metrics. */
function reading(names: Names): readonly PolicyStatement[] {
  const { arn, environment } = names;
  const tables =
    environment === 'control'
      ? [names.ledgerTable]
      : [names.ledgerTable, names.catalogueTable, ...(environment === 'dev' ? [] : [names.predictionTable])];
  const buckets =
    environment === 'control'
      ? [names.publishedBucket]
      : [names.artifactBucket, names.lakeBucket, names.publishedBucket];
  const machines = names.name('*');
  return [
    allow(
      ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
      tables.map((table) => arn('dynamodb', `table/${table}`)),
    ),
    allow(
      ['s3:ListBucket'],
      buckets.map((bucket) => `arn:aws:s3:::${bucket}`),
    ),
    allow(
      ['s3:GetObject', 's3:GetObjectVersion'],
      buckets.map((bucket) => `arn:aws:s3:::${bucket}/*`),
    ),
    ...(MACHINES[environment].length === 0
      ? []
      : [
          allow(['states:DescribeStateMachine', 'states:ListExecutions'], [arn('states', `stateMachine:${machines}`)]),
          allow(
            ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:DescribeMapRun'],
            [arn('states', `execution:${machines}`), arn('states', `mapRun:${machines}`)],
          ),
        ]),
    allow(['cloudformation:DescribeStacks'], [arn('cloudformation', `stack/${names.name('*')}`)]),
    allow(['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'], [names.inboxQueueArn]),
    // CloudWatch knows this right for all metrics of an account only.
    allow(['cloudwatch:GetMetricData'], ['*']),
  ];
}

/** Raw events of requests are read by those who answer for the model only. */
function withoutRawEvents(names: Names): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.DENY,
    actions: ['s3:GetObject', 's3:GetObjectVersion'],
    resources: [`arn:aws:s3:::${names.lakeBucket}/request-events/*`],
  });
}
