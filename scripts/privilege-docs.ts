// Which function may do what, read from the synthesised templates: what is said here is what is deployed.
import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import { gatehouse } from '#lib/gatehouse.ts';

import config from '../gatehouse.config.ts';

const Statement = z.object({
  Action: z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat()),
  Resource: z.union([z.array(z.unknown()), z.unknown().transform((value) => [value])]),
  Condition: z
    .object({
      'ForAllValues:StringLike': z
        .object({ 'dynamodb:LeadingKeys': z.union([z.string(), z.array(z.string())]) })
        .optional(),
    })
    .optional(),
});
type Statement = z.infer<typeof Statement>;

const Resources = z.record(
  z.string(),
  z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
);
type Resources = z.infer<typeof Resources>;

const Policy = z.object({
  PolicyDocument: z.object({ Statement: z.array(Statement) }),
  Roles: z.array(z.object({ Ref: z.string() })),
});

/** What a function may do in one environment, in three words: reads, writes, calls. */
type Verb = 'reads' | 'writes' | 'calls';
interface Right {
  readonly verb: Verb;
  readonly what: string;
}

/** A deployed environment: what its stacks hold. */
export interface Deployed {
  readonly environment: Environment;
  readonly resources: Resources;
}

/** The rights of every function, and of the role of training jobs: a table made from the templates of all environments. */
export function privilegeTable(deployed: readonly Deployed[]): string {
  const rights = new Map<string, Map<string, { readonly right: Right; readonly environments: string[] }>>();
  const homes = new Map<string, string[]>();
  for (const { environment, resources } of deployed) {
    for (const [id, { Type: type, Properties: properties }] of Object.entries(resources)) {
      const name = z.string().safeParse(properties['RoleName']).data;
      if (type !== 'AWS::IAM::Role' || name === undefined || name.includes('-machine-')) continue;
      const role = name.replace(`gatehouse-${environment}-`, '');
      homes.set(role, [...(homes.get(role) ?? []), environment]);
      const known = rights.get(role) ?? new Map<string, { right: Right; environments: string[] }>();
      rights.set(role, known);
      for (const right of statementsOf(resources, id).flatMap((statement) =>
        rightsOf(statement, environment, resources),
      )) {
        const entry = known.get(JSON.stringify(right)) ?? { right, environments: [] };
        if (!entry.environments.includes(environment)) entry.environments.push(environment);
        known.set(JSON.stringify(right), entry);
      }
    }
  }
  const rows = [...rights.keys()].toSorted().map((role) => {
    const all = homes.get(role) ?? [];
    const cell = (verb: Verb): string =>
      [...(rights.get(role)?.values() ?? [])]
        .filter(({ right }) => right.verb === verb)
        .map(
          ({ right, environments }) =>
            right.what + (environments.length === all.length ? '' : ` (${environments.join(', ')})`),
        )
        .join('; ');
    return `| \`${role}\` | ${all.join(', ')} | ${cell('reads')} | ${cell('writes')} | ${cell('calls')} |`;
  });
  return ['| function | in | may read | may write | may call |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The functions that may write items of an authority of the ledger, and where. */
export function writersOf(
  authority: string,
  deployed: readonly Deployed[],
): ReadonlyMap<string, readonly Environment[]> {
  const writers = new Map<string, Environment[]>();
  for (const { environment, resources } of deployed) {
    for (const [id, { Type: type, Properties: properties }] of Object.entries(resources)) {
      if (type !== 'AWS::IAM::Role') continue;
      const keys = statementsOf(resources, id).flatMap((statement) => leadingKeys(statement));
      if (!keys.some((key) => key === '*' || key.split('#')[0] === authority)) continue;
      const role = String(properties['RoleName']).replace(`gatehouse-${environment}-`, '');
      writers.set(role, [...(writers.get(role) ?? []), environment]);
    }
  }
  return writers;
}

/** The partition keys that a statement lets a role put. */
function leadingKeys({ Action: actions, Condition: condition }: Statement): readonly string[] {
  if (!actions.includes('dynamodb:PutItem')) return [];
  return [condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? '*'].flat();
}

/** The stacks of every environment, synthesised from `gatehouse.config.ts`. */
export async function deployedStacks(): Promise<readonly Deployed[]> {
  const app = new App({
    analyticsReporting: false,
    context: { 'gatehouse:platform': `${process.platform}-${process.arch}`, 'aws:cdk:disable-asset-staging': true },
  });
  await gatehouse(app, config);
  return ENVIRONMENTS.flatMap((environment) =>
    app.node
      .findAll()
      .filter((construct) => construct instanceof Stack)
      .filter((stack) => stack.node.path.startsWith(`${environment}/`))
      .map((stack) => ({ environment, resources: Resources.parse(Template.fromStack(stack).toJSON()['Resources']) })),
  );
}

function statementsOf(resources: Resources, role: string): readonly Statement[] {
  return Object.values(resources)
    .filter(({ Type: type }) => type === 'AWS::IAM::Policy')
    .map(({ Properties: properties }) => Policy.parse(properties))
    .filter(({ Roles: roles }) => roles.some(({ Ref: ref }) => ref === role))
    .flatMap(({ PolicyDocument: document }) => document.Statement);
}

/** Rights that every function of a kind has, and that say nothing of what it may do: told once, above the table. */
const UNSAID =
  /^(logs:|s3:ListBucket$|dynamodb:(ConditionCheckItem|DescribeStream|GetShardIterator|ListStreams)$|sqs:(Get|Change|Delete|List)|ecr:|kms:GetPublicKey$)/;

/** The verb of an action, and how what it is done with is said. */
const SAID: readonly (readonly [action: RegExp, verb: Verb, say: (thing: string) => string])[] = [
  [/^dynamodb:GetRecords$/, 'reads', () => 'the stream of `ledger`'],
  [/^dynamodb:(BatchGetItem|GetItem|Query)$/, 'reads', (table) => table],
  [/^dynamodb:BatchWriteItem$/, 'writes', (table) => table],
  [/^s3:GetObjectRetention$/, 'reads', (objects) => `retention of ${objects}`],
  [/^s3:GetObject/, 'reads', (objects) => objects],
  [/^s3:PutObject$/, 'writes', (objects) => objects],
  [/^sqs:ReceiveMessage$/, 'reads', (queue) => `queue ${queue}`],
  [/^sqs:SendMessage$/, 'calls', (queue) => `queue ${queue}`],
  [/^cognito-idp:/, 'reads', () => 'people and their groups'],
  [/^kms:DescribeKey$/, 'reads', () => 'the state of the environment’s keys'],
  [/^kms:Sign$/, 'calls', () => '**signs** with the environment’s key'],
  [/^kms:GenerateDataKey$/, 'calls', () => 'encrypts with the key of the request log'],
  [/^kms:DescribeKey$/, 'reads', () => 'the state of keys'],
  [/^kms:Decrypt$/, 'calls', () => '**decrypts** with the key of the request log'],
  [/^sns:Publish$/, 'calls', (topic) => `topic ${topic}`],
  [/^sns:ListSubscriptionsByTopic$/, 'reads', (topic) => `subscriptions to ${topic}`],
  [/^sns:Subscribe$/, 'calls', (topic) => `subscribes to ${topic}`],
  [/^events:PutEvents$/, 'calls', () => 'the bus'],
  [/^lambda:InvokeFunction$/, 'calls', (name) => `function ${name}`],
  [/^states:StartExecution$/, 'calls', (machine) => `starts ${machine}`],
  [/^lambda:ListEventSourceMappings$/, 'reads', () => 'event source mappings'],
  [/^states:ListExecutions$/, 'reads', (machine) => `executions of ${machine}`],
  [/^states:DescribeExecution$/, 'calls', (machine) => `sees how executions of ${machine} ended`],
  [/^states:SendTaskSuccess$/, 'calls', (machine) => `returns tokens of ${machine}`],
  [/^execute-api:Invoke$/, 'calls', () => 'the endpoints'],
  [/^cloudwatch:GetMetricData$/, 'reads', () => 'metrics'],
  [/^cloudwatch:DescribeAlarms$/, 'reads', () => 'alarms'],
  [/^sagemaker:Create/, 'calls', () => 'starts training jobs'],
  [/^sagemaker:Describe/, 'reads', () => 'training jobs'],
  [/^iam:PassRole$/, 'calls', (role) => `passes role ${role}`],
];

function rightsOf(
  { Action: actions, Resource: things, Condition: condition }: Statement,
  environment: string,
  resources: Resources,
): readonly Right[] {
  return actions
    .filter((action) => !UNSAID.test(action))
    .flatMap((action) =>
      things.map((thing): Right | undefined => {
        const name = nameOf(thing, environment, resources);
        if (action === 'dynamodb:PutItem') {
          const keys = [condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? '**anything**'].flat();
          return { verb: 'writes', what: `${name}: ${keys.map((key) => key.replace('#*', '')).join(', ')}` };
        }
        const [, verb, say] = SAID.find(([pattern]) => pattern.test(action)) ?? [];
        if (verb === undefined || say === undefined)
          throw new Error(`${action} has no words yet: add them in scripts/privilege-docs.ts`);
        return name.includes('dead-letters') || name.includes('unpublished') ? undefined : { verb, what: say(name) };
      }),
    )
    .filter((right) => right !== undefined);
}

/** A resource as this documentation calls it: without account, region and the environment's own prefix. */
function nameOf(thing: unknown, environment: string, resources: Resources): string {
  const text = typeof thing === 'string' ? thing : physicalName(thing, resources);
  const found = /gatehouse-(?<of>dev|staging|prod|control)-(?<name>[a-z-]+?)(?:-\d{12})?(?<path>\/.*)?$/.exec(
    text,
  )?.groups;
  if (found === undefined) return `\`${text}\``;
  const { of = '', name = '', path = '' } = found;
  const prefix = ['', '/*'].includes(path) ? '' : path;
  const whose = ['published', 'announcements'].includes(name) ? ' of its peers' : ` of ${of}`;
  return `\`${name}${prefix}\`${of === environment ? '' : whose}`;
}

const Reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref: ref }) => ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform((value) => value['Fn::GetAtt'][0]),
]);

/** A name of which a part is known when it is deployed. */
const Joined = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }).transform((value) => {
  const [separator, parts] = value['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : '…')).join(separator);
});

function physicalName(thing: unknown, resources: Resources): string {
  const joined = Joined.safeParse(thing);
  if (joined.success) return joined.data;
  const { Type: type, Properties: properties = {} } = resources[Reference.parse(thing)] ?? {};
  // An alias is called by the name of its function.
  if (type === 'AWS::Lambda::Alias') return physicalName(properties['FunctionName'], resources);
  const name = [
    'TopicName',
    'QueueName',
    'FunctionName',
    'RoleName',
    'TableName',
    'UserPoolName',
    'StateMachineName',
  ].find((key) => typeof properties[key] === 'string');
  return name === undefined ? '' : String(properties[name]);
}
