import { beforeAll, describe, expect, it } from 'vitest';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { Role } from '#domain/policy/policy.ts';
import { policyName } from '#model/define-ownership.ts';
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
        for (const { Action: actions, resources, Effect: effect } of statements)
          for (const action of actions) {
            expect(action, name).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
            if (effect === 'Deny') continue;
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

    it('keep raw events of requests from roles that do not answer for the model', () => {
      const denied = policies().filter(({ statements }) => statements.some(({ Effect: effect }) => effect === 'Deny'));
      expect(
        denied
          .map(({ name }) => name)
          .filter((name) => name.startsWith('gatehouse-prod-'))
          .toSorted(),
      ).toEqual(['gatehouse-prod-ml-lead', 'gatehouse-prod-risk']);
    });

    it('fit into what IAM takes', () => {
      for (const { name, document } of policies()) expect(document.length, name).toBeLessThan(6144);
    });
  });
}
