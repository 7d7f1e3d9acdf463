import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { addEnvironments } from '#lib/gatehouse.ts';
import { compileDeployment } from '#model/compile-deployment.ts';
import config from '../../gatehouse.config.ts';
import { resourcesOf, rolesOf, stacksIn, synthesised, type SynthesisedStack } from './_synth.ts';

/** Every stack, with functions whose code is other than what is bundled now. */
async function synthesiseOtherCode(): Promise<SynthesisedStack[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-other-code-'));
  try {
    const deployed = await compileDeployment(join(import.meta.dirname, '../..'), config, ['models']);
    const bundleOf = (privilege: string): string => {
      const bundle = join(folder, privilege);
      mkdirSync(bundle, { recursive: true });
      writeFileSync(join(bundle, 'index.mjs'), `export const handler = async () => 'another ${privilege}';`);
      return bundle;
    };
    const app = new App({ builtinCloudFormationValidation: false, outdir: join(folder, 'cdk.out') });
    // Of prod the quota is told.
    const environments = { ...config.environments, prod: { ...config.environments.prod, concurrency: 1000 } };
    addEnvironments(app, { ...config, environments }, { deployed, bundleOf, platform: 'linux-x64' });
    return stacksIn(app);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const Ref = z.object({ Ref: z.string() });

/** What the definitions of machines call: a version by its resource and its function's name, an alias by its ARN alone. */
function callsOf(stacks: readonly SynthesisedStack[]) {
  return resourcesOf(stacks, 'AWS::StepFunctions::StateMachine').flatMap(({ properties, template }) =>
    Object.entries(z.record(z.string(), z.unknown()).parse(properties['DefinitionSubstitutions']))
      .filter(([placeholder]) => !placeholder.endsWith('Machine'))
      .map(([placeholder, value]) => {
        const machine = String(properties['StateMachineName']);
        const version = typeof value === 'string' ? undefined : Ref.parse(value).Ref;
        const resource = version === undefined ? undefined : template.Resources[version];
        const id = resource === undefined ? '' : Ref.parse(resource.Properties['FunctionName']).Ref;
        const name = String(template.Resources[id]?.Properties['FunctionName']);
        const arn = typeof value === 'string' ? value : `<${name}.Arn>:7`;
        return { what: `${machine} ${placeholder}`, machine, version, resource, arn };
      }),
  );
}

/** What begins under one deployment and goes on under the next, whose code is another. */
export function deployments(): void {
  let before: ReturnType<typeof callsOf>;
  let after: ReturnType<typeof callsOf>;
  let roles: ReturnType<typeof rolesOf>;
  let reserved: [name: string, executions: unknown][];
  beforeAll(async () => {
    const other = await synthesiseOtherCode();
    before = callsOf(other);
    reserved = resourcesOf(other, 'AWS::Lambda::Function').flatMap(({ properties }) =>
      properties['ReservedConcurrentExecutions'] === undefined
        ? []
        : [[String(properties['FunctionName']), properties['ReservedConcurrentExecutions']]],
    );
    const stacks = await synthesised();
    after = callsOf(stacks);
    roles = rolesOf(stacks);
  });

  /** Whether the role of a machine may invoke a function, by the deployment that came last. */
  const mayInvoke = (machine: string, arn: string): boolean => {
    const name = machine.replace(/^(gatehouse-\w+)-/, '$1-machine-');
    const role = roles.find((each) => each.name === name);
    if (role === undefined) throw new Error(`no role ${name}`);
    return role.statements
      .filter(({ Action: action }) => action.includes('lambda:InvokeFunction'))
      .flatMap(({ resources }) => resources)
      .some((pattern) => pattern === arn || (pattern.endsWith('*') && arn.startsWith(pattern.slice(0, -1))));
  };

  // Not for their arms: they are deployed before the endpoint, which has reserved all that can be.
  it('reserves concurrency for the endpoints of an account whose quota is told, and for nothing else', () => {
    expect(Object.fromEntries(reserved)).toEqual({ 'gatehouse-prod-endpoint-flight-delay': 900 });
  });

  describe('an execution that waits through a deployment of other code', () => {
    it('keeps the version that it began with, which the deployment leaves where it is', () => {
      const newer = new Set(after.map(({ version }) => version));
      const versions = before.filter(({ version }) => version !== undefined);
      expect(versions.length).toBeGreaterThan(20);
      for (const { what, version, resource } of versions) {
        expect(newer, what).not.toContain(version);
        // When the next template does not name it any more, CloudFormation leaves it alone.
        expect(resource, what).toMatchObject({ DeletionPolicy: 'Retain' });
      }
    });

    it('may go on to invoke every function that its definition names', () => {
      for (const { what, machine, arn } of before) expect(mayInvoke(machine, arn), `${what} ${arn}`).toBe(true);
    });

    it('may invoke no function that its definition does not name, and none without a version', () => {
      const dev = 'gatehouse-dev';
      for (const arn of [`<${dev}-publisher.Arn>:7`, `<${dev}-training-events.Arn>:7`, `<${dev}-training.Arn>`])
        expect(mayInvoke(`${dev}-retraining`, arn), arn).toBe(false);
    });
  });
}
