import { globSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { Role } from '#domain/policy/role.ts';
import { policyName } from '#model/define-ownership.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { WITHOUT_RESOURCE } from './_rights.ts';
import { resourcesOf, statementsOf, synthesised } from './_synth.ts';

/** What the managed policies of people's roles say. */
export function peoplesPolicies(): void {
  let stacks: Awaited<ReturnType<typeof synthesised>>;
  beforeAll(async () => {
    stacks = await synthesised();
  });
  const policies = () =>
    resourcesOf(stacks, 'AWS::IAM::ManagedPolicy').map(({ environment, properties, template }) => ({
      environment,
      name: String(properties['ManagedPolicyName']),
      statements: statementsOf(properties['PolicyDocument'], template),
      document: JSON.stringify(properties['PolicyDocument']),
    }));
  const started = (name: string): string[] =>
    policies()
      .filter((policy) => policy.name === name)
      .flatMap(({ statements }) => statements)
      .filter(({ Action: actions }) => actions.includes('states:StartExecution'))
      .flatMap(({ resources }) => resources.map((resource) => resource.replace(/^.*:gatehouse-[a-z]+-/, '')));

  describe('policies of people', () => {
    it('are one for each role and environment, by a name that does not change', () => {
      const names = ENVIRONMENTS.flatMap((environment) => Role.options.map((role) => policyName(environment, role)));
      expect(
        policies()
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(names.toSorted());
    });

    it('let each role start what the division of work names, and nothing else', () => {
      expect(started('gatehouse-prod-platform').toSorted()).toEqual(
        [
          'batch-inference',
          'canary',
          'confirmation',
          'drift',
          'incident',
          'probation',
          'rollback',
          'rollback-readiness',
        ].toSorted(),
      );
      expect(started('gatehouse-prod-ml-lead')).not.toContain('rollback');
      expect(started('gatehouse-prod-risk')).toEqual(['incident']);
      expect(started('gatehouse-dev-ml-engineer').toSorted()).toEqual(['data-quality', 'incident', 'retraining']);
      expect(started('gatehouse-control-platform')).toEqual([]);
    });

    it('write nothing, and name every action and every resource that AWS knows', () => {
      const administration = /^cognito-idp:/;
      for (const { name, statements, environment } of policies())
        for (const { Action: actions, resources } of statements)
          for (const action of actions) {
            expect(action, name).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
            const reads = /:(BatchGet|Get|List|Query|Describe)/.test(action) || action === 'states:StartExecution';
            expect(reads || (environment === 'control' && administration.test(action)), `${name}: ${action}`).toBe(
              true,
            );
            if (resources.includes('*')) expect(WITHOUT_RESOURCE, name).toContain(action);
            for (const resource of resources)
              if (resource !== '*' && resource.startsWith('arn:'))
                expect(resource, name).toContain(`gatehouse-${environment}-`);
          }
    });

    it('let raw events of requests be read by roles that answer for the model, and deny nothing to who has two', () => {
      const lake = `arn:aws:s3:::${namesOf(config, 'prod').lakeBucket}`;
      const reads = (name: string) =>
        policies()
          .filter((policy) => policy.name === name)
          .flatMap(({ statements }) => statements)
          .filter(({ Action: actions }) => actions.includes('s3:GetObject'))
          .flatMap(({ resources }) => resources.filter((resource) => resource.startsWith(lake)));
      expect(reads('gatehouse-prod-platform')).toEqual([`${lake}/*`]);
      expect(reads('gatehouse-prod-risk')).toContain(`${lake}/objects/*`);
      expect(
        reads('gatehouse-prod-risk').filter((each) => each === `${lake}/*` || each.includes('request-events')),
      ).toEqual([]);
      expect(
        policies()
          .flatMap(({ statements }) => statements)
          .filter(({ Effect: effect }) => effect === 'Deny'),
      ).toEqual([]);
    });

    it('have what the command line reads by', () => {
      const allowed = new Set(
        policies()
          .filter(({ environment }) => environment === 'prod')
          .flatMap(({ statements }) => statements.flatMap(({ Action: actions }) => actions)),
      );
      // Each call of Step Functions in cli/, by the action that it needs.
      const called = globSync('cli/**/*.ts').flatMap((file) =>
        [
          ...readFileSync(file, 'utf8').matchAll(
            /\b(?:new |paginate)((?:Describe|List|Get)(?:Execution|MapRun|StateMachine)\w*?)(?:Command)?\(/g,
          ),
        ].map(([, name]) => `states:${name}`),
      );
      expect(called.length).toBeGreaterThan(3);
      expect(called.filter((action) => !allowed.has(action))).toEqual([]);
    });

    it('fit into what IAM takes', () => {
      for (const { name, document } of policies()) expect(document.length, name).toBeLessThan(6144);
    });
  });
}
