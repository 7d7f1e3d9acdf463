import { ManagedPolicy, PolicyStatement, Effect } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { MACHINES } from '#domain/environment/environment.ts';
import { Role } from '#domain/policy/role.ts';
import { type Acts, policyName } from '#model/define-ownership.ts';
import type { Names } from '#model/names.ts';

export interface PeoplePoliciesProps {
  readonly names: Names;
  readonly acts: Acts;
  /** The models that are deployed. */
  readonly models: readonly string[];
  /** The user pool, where there is one. */
  readonly userPoolArn?: string;
}

/**
 * What each role may do with AWS credentials of an account, as a managed policy that its owner attaches to the people who have the role:
 * all of them read, and start the machines that the division of work names. None of them writes a ledger, a bucket or a key.
 */
export class PeoplePolicies extends Construct {
  constructor(scope: Construct, id: string, { names, acts, models, userPoolArn }: PeoplePoliciesProps) {
    super(scope, id);
    for (const role of Role.options) {
      const machines = MACHINES[names.environment].filter((machine) => acts.machines[machine]?.includes(role) === true);
      const administers = userPoolArn !== undefined && acts.users.includes(role);
      new ManagedPolicy(this, role, {
        managedPolicyName: policyName(names.environment, role),
        description: `what the role ${role} may do in ${names.environment} of Gatehouse`,
        statements: [
          ...reading(names, acts.requests.includes(role) ? undefined : models),
          ...(machines.length === 0
            ? []
            : [
                allow(
                  ['states:StartExecution'],
                  machines.map((machine) => names.stateMachineArn(machine)),
                ),
              ]),
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

/**
 * What the reading commands call: tables, stored objects, executions, stack outputs, metrics. @param models those whose folders of the lake
 * are read; all of it, raw events of requests as well, if left out
 */
function reading(names: Names, models: readonly string[] | undefined): readonly PolicyStatement[] {
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
      // What has landed and was not admitted yet is listed, and not read.
      [...buckets, ...(environment === 'control' ? [] : [names.landingBucket])].map(
        (bucket) => `arn:aws:s3:::${bucket}`,
      ),
    ),
    allow(
      ['s3:GetObject', 's3:GetObjectVersion'],
      buckets.flatMap((bucket) =>
        bucket === names.lakeBucket && models !== undefined
          ? ['objects', ...models].map((folder) => `arn:aws:s3:::${bucket}/${folder}/*`)
          : [`arn:aws:s3:::${bucket}/*`],
      ),
    ),
    ...(MACHINES[environment].length === 0
      ? []
      : [
          allow(['states:DescribeStateMachine', 'states:ListExecutions'], [arn('states', `stateMachine:${machines}`)]),
          allow(
            ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:DescribeMapRun', 'states:ListMapRuns'],
            [arn('states', `execution:${machines}`), arn('states', `mapRun:${machines}`)],
          ),
        ]),
    allow(['cloudformation:DescribeStacks'], [arn('cloudformation', `stack/${names.name('*')}`)]),
    allow(['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'], [names.inboxQueueArn]),
    // CloudWatch knows this right for all metrics of an account only.
    allow(['cloudwatch:GetMetricData'], ['*']),
  ];
}
