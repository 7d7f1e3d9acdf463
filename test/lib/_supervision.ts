import { readdirSync, readFileSync } from 'node:fs';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { schedulesOf } from '#domain/supervision/schedules.ts';
import { SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';
import { compileDeployment } from '#model/compile-deployment.ts';
import { namesOf } from '#model/names.ts';
import { describe, expect, it } from 'vitest';
import config from '../../gatehouse.config.ts';
import { z } from 'zod';
import { watchedIn } from '#lib/constructs/supervisor.ts';
import { resourcesOf, rolesOf, synthesised, type SynthesisedStack } from './_synth.ts';
import { fileURLToPath } from 'node:url';

const Reference = z.object({ Ref: z.string() });
const Variables = z.object({ Environment: z.object({ Variables: z.object({ WATCHED: z.string().optional() }) }) });

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** That what is deployed is looked after. */
export function supervision(): void {
  describe('what is supervised', () => {
    it('is each schedule that is deployed, by its name and time, and no other', async () => {
      const { models } = await compileDeployment(ROOT, config, ['models']);
      const stacks = await synthesised();
      for (const environment of ENVIRONMENTS) {
        const names = namesOf(config, environment);
        const deployed = resourcesOf(stacks, 'AWS::Scheduler::Schedule')
          .filter((each) => each.environment === environment)
          .map(({ properties: { Name, ScheduleExpression, ScheduleExpressionTimezone } }) =>
            [Name, ScheduleExpression, ScheduleExpressionTimezone].join(' '),
          );
        const list = schedulesOf(
          environment,
          models.map(({ definition }) => definition),
        ).map(({ name, expression, timezone }) => [names.name(name), expression, timezone].join(' '));
        expect(deployed.toSorted(), environment).toEqual(list.toSorted());
      }
    });

    it('leaves heartbeats of each kind', async () => {
      const { models } = await compileDeployment(ROOT, config, ['models']);
      const definitions = models.map(({ definition }) => definition);
      const kinds = ENVIRONMENTS.flatMap((each) => schedulesOf(each, definitions).map(({ kind }) => kind));
      const texts = readdirSync(`${ROOT}/lambdas`).map((name) =>
        readFileSync(`${ROOT}/lambdas/${name}/index.ts`, 'utf8'),
      );
      const left = texts.flatMap((text) =>
        [...text.matchAll(/(?:leaving|loggedHeartbeats\(deps\))\('([a-z-]+)',/g)].map(([, kind = '']) => kind),
      );
      expect(left.toSorted()).toEqual([...new Set(kinds)].toSorted());
    });

    it('is what is there: machines, event sources, request logs and keys', async () => {
      const deployed = await compileDeployment(ROOT, config, ['models']);
      const stacks = await synthesised();
      for (const environment of ENVIRONMENTS) {
        const names = namesOf(config, environment);
        const watched = watchedIn({ config, environment, names, deployed });
        const of = (type: string) => resourcesOf(stacks, type).filter((each) => each.environment === environment);
        const referred = (value: unknown, template: SynthesisedStack['template']) =>
          template.Resources[Reference.parse(value).Ref]?.Properties ?? {};
        const sorted = (values: readonly unknown[]) => values.map(String).toSorted();
        expect(
          sorted(
            of('AWS::Lambda::EventSourceMapping').map(
              ({ properties, template }) => referred(properties['FunctionName'], template)['FunctionName'],
            ),
          ),
        ).toEqual(sorted(watched.eventSourced));
        expect(
          sorted(
            of('AWS::Logs::SubscriptionFilter').map(
              ({ properties, template }) => referred(properties['LogGroupName'], template)['LogGroupName'],
            ),
          ),
        ).toEqual(sorted(watched.requestLogs));
        expect(sorted(of('AWS::KMS::Alias').map(({ properties }) => properties['AliasName']))).toEqual(
          sorted(watched.keys),
        );
        expect(
          sorted(
            of('AWS::StepFunctions::StateMachine').map(({ properties }) =>
              names.arn('states', `stateMachine:${String(properties['StateMachineName'])}`),
            ),
          ),
        ).toEqual(sorted(Object.values(watched.machines)));
        const variables = of('AWS::Lambda::Function').map(
          ({ properties }) => Variables.parse(properties).Environment.Variables,
        );
        expect(variables.map(({ WATCHED }) => WATCHED).filter((each) => each !== undefined)).toEqual([
          JSON.stringify(watched),
        ]);
      }
    });

    it('is hashed again by a function that can write no object', async () => {
      const roles = rolesOf(await synthesised()).filter(({ name }) => name.endsWith('-integrity'));
      expect(roles).toHaveLength(4);
      const actions = new Set(roles.flatMap(({ statements }) => statements.flatMap(({ Action }) => Action)));
      expect([...actions].filter((action) => /^(s3|kms|states|lambda):/.test(action)).toSorted()).toEqual([
        's3:GetObject',
        's3:ListBucket',
      ]);
    });

    it('has an alarm where nobody supervises, which begins without data and does not page then', async () => {
      for (const environment of ENVIRONMENTS) {
        const names = namesOf(config, environment);
        const found = resourcesOf(await synthesised(), 'AWS::CloudWatch::Alarm').filter(
          ({ properties }) => properties['AlarmName'] === names.name('unsupervised'),
        );
        expect(found.map(({ properties }) => properties)).toEqual([
          expect.objectContaining({
            MetricName: SUPERVISION_METRICS.supervised,
            Dimensions: [{ Name: 'environment', Value: environment }],
            TreatMissingData: 'missing',
            InsufficientDataActions: [names.alertsTopicArn],
          }),
        ]);
      }
    });
  });
}
