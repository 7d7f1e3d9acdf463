import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { z } from 'zod';
import { gatehouse } from '#lib/gatehouse.ts';
import config from '../../gatehouse.config.ts';

const Resource = z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }).loose();
export type Resource = z.infer<typeof Resource>;
const Template = z.object({ Resources: z.record(z.string(), Resource) }).loose();

/** A synthesised stack: its environment, its name and its template. */
export interface SynthesisedStack {
  readonly environment: string;
  readonly name: string;
  readonly account: string;
  readonly template: z.infer<typeof Template>;
}

/** Every stack as `cdk synth` makes it, bundles included; what is made lies in a folder that is gone afterwards. */
async function synthesise(): Promise<SynthesisedStack[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-synth-'));
  try {
    const app = new App({
      // Without the context of cdk.json it only warns; a deployment with it fails.
      builtinCloudFormationValidation: false,
      outdir: join(folder, 'cdk.out'),
    });
    await gatehouse(app, config);
    return stacksIn(app);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The stacks of an app, synthesised. */
export function stacksIn(app: App): SynthesisedStack[] {
  return app.synth().nestedAssemblies.flatMap(({ nestedAssembly, displayName }) =>
    nestedAssembly.stacks.map((stack) => ({
      environment: displayName.split('/').at(-1) ?? displayName,
      name: stack.displayName,
      account: stack.environment.account,
      template: Template.parse(stack.template),
    })),
  );
}

let made: Promise<SynthesisedStack[]> | undefined;
/** The stacks as they are by default, synthesised once. */
export const synthesised = (): Promise<SynthesisedStack[]> => (made ??= synthesise());

/** The resources of a type, of one stack or of several. */
export function resourcesOf(stacks: readonly SynthesisedStack[], type: string) {
  return stacks.flatMap(({ environment, name, account, template }) =>
    Object.entries(template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, resource]) => ({ environment, stack: name, account, id, properties: resource.Properties, template })),
  );
}

const listed = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .transform((one) => [one])
  .or(z.array(z.unknown()));
const Statement = z
  .object({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Action: z
      .string()
      .transform((one) => [one])
      .or(z.array(z.string())),
    Resource: listed.default([]),
    Principal: z.unknown().optional(),
    Condition: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  })
  .strict();
export type Statement = z.infer<typeof Statement> & { readonly resources: readonly string[] };

/** A policy's statements, each resource as text. */
export function statementsOf(document: unknown, template: z.infer<typeof Template>): Statement[] {
  const parsed = z
    .object({ Statement: z.array(Statement) })
    .loose()
    .parse(document);
  return parsed.Statement.map((statement) => ({
    ...statement,
    resources: statement.Resource.map((each) => textOf(each, template)),
  }));
}

/** The roles of some stacks with everything that they may do. */
export function rolesOf(stacks: readonly SynthesisedStack[]) {
  const policies = resourcesOf(stacks, 'AWS::IAM::Policy').flatMap(({ environment, stack, properties, template }) =>
    z
      .array(z.object({ Ref: z.string() }))
      .parse(properties['Roles'])
      .map(({ Ref: role }) => ({
        environment,
        stack,
        role,
        statements: statementsOf(properties['PolicyDocument'], template),
      })),
  );
  return resourcesOf(stacks, 'AWS::IAM::Role').map(({ environment, stack, id, properties, template }) => {
    const inline = z.array(z.object({ PolicyDocument: z.unknown() })).parse(properties['Policies'] ?? []);
    return {
      environment,
      stack,
      id,
      name:
        typeof properties['RoleName'] === 'string'
          ? properties['RoleName']
          : `${environment} ${id.replace(/[0-9A-F]{8}$/, '')}`,
      managed: properties['ManagedPolicyArns'] ?? [],
      statements: [
        ...inline.flatMap(({ PolicyDocument: document }) => statementsOf(document, template)),
        ...policies
          .filter((policy) => policy.environment === environment && policy.stack === stack && policy.role === id)
          .flatMap(({ statements }) => statements),
      ],
    };
  });
}

/** A value of a template as one text: what is joined or referred to is spelled by the names of what it stands for. */
export function textOf(value: unknown, template: z.infer<typeof Template>): string {
  if (typeof value === 'string') return value;
  const join = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }).safeParse(value);
  if (join.success)
    return join.data['Fn::Join'][1].map((part) => textOf(part, template)).join(join.data['Fn::Join'][0]);
  const ref = z.object({ Ref: z.string() }).safeParse(value);
  if (ref.success) return `<${label(ref.data.Ref, template)}>`;
  const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).safeParse(value);
  if (attribute.success)
    return `<${label(attribute.data['Fn::GetAtt'][0], template)}.${attribute.data['Fn::GetAtt'][1]}>`;
  const imported = z.object({ 'Fn::ImportValue': z.string() }).safeParse(value);
  if (imported.success) return `<${imported.data['Fn::ImportValue'].replace(/CurrentVersion.*$/, 'CurrentVersion')}>`;
  return JSON.stringify(value);
}

/** What a logical id stands for: its physical name where it has one, else the id without its hash. */
function label(id: string, template: z.infer<typeof Template>): string {
  const { Type: type, Properties: properties = {} } = template.Resources[id] ?? {};
  if (type === 'AWS::Lambda::Alias')
    return `${textOf(properties['FunctionName'], template)}:${textOf(properties['Name'], template)}`;
  const name = [
    'BucketName',
    'TableName',
    'QueueName',
    'TopicName',
    'FunctionName',
    'RoleName',
    'StateMachineName',
    'UserPoolName',
    'Name',
  ]
    .map((key) => properties[key])
    .find((each) => typeof each === 'string');
  return typeof name === 'string'
    ? name
    : id.replace(/CurrentVersion.*$/, 'CurrentVersion').replace(/[0-9A-F]{8}$/, '');
}
