import { ENVIRONMENTS, MACHINES } from '#domain/environment/environment.ts';
import { isDeadLetterQueue } from '#domain/supervision/watched.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import config from '../../gatehouse.config.ts';
import { resourcesOf, statementsOf, synthesised, type SynthesisedStack } from './_synth.ts';

/** What waits, runs and is kept. */
export function keeping(): void {
  let stacks: SynthesisedStack[];
  beforeAll(async () => {
    stacks = await synthesised();
  });

  describe('what waits, runs and is kept', () => {
    it('imports nothing from another stack, which could then never change', () => {
      for (const stack of stacks) expect(JSON.stringify(stack.template), stack.name).not.toContain('Fn::ImportValue');
    });

    it('has a dead-letter queue behind each queue, schedule and asynchronous function', () => {
      for (const { properties } of resourcesOf(stacks, 'AWS::SQS::Queue')) {
        const name = String(properties['QueueName']);
        // A queue of another kind would be looked at by nobody.
        const isLast = isDeadLetterQueue(name);
        expect(properties['RedrivePolicy'] !== undefined, name).toBe(!isLast);
        expect(properties['MessageRetentionPeriod'], name).toBe(14 * 86_400);
      }
      for (const { properties } of resourcesOf(stacks, 'AWS::Scheduler::Schedule')) {
        expect(properties['ScheduleExpressionTimezone']).toMatch(/^(UTC|[A-Z]\w+\/\w+)$/);
        expect(properties['Target']).toMatchObject({
          RetryPolicy: { MaximumRetryAttempts: 8, MaximumEventAgeInSeconds: 3600 },
          DeadLetterConfig: { Arn: expect.anything() },
        });
      }
      const called = [
        ...resourcesOf(stacks, 'AWS::Events::Rule').flatMap(({ environment, stack, properties }) =>
          z
            .array(z.object({ Arn: z.unknown() }))
            .parse(properties['Targets'])
            .map(({ Arn }) => ({ environment, stack, Arn })),
        ),
        ...resourcesOf(stacks, 'AWS::Scheduler::Schedule').map(({ environment, stack, properties }) => ({
          environment,
          stack,
          Arn: z.object({ Arn: z.unknown() }).parse(properties['Target']).Arn,
        })),
      ];
      const subscribed = resourcesOf(stacks, 'AWS::Logs::SubscriptionFilter');
      expect(subscribed.length).toBeGreaterThanOrEqual(2);
      called.push(
        ...subscribed.map(({ environment, stack, properties }) => ({
          environment,
          stack,
          Arn: properties['DestinationArn'],
        })),
      );
      const functions = resourcesOf(stacks, 'AWS::Lambda::Function');
      const hit = functions.filter(({ environment, stack, id }) =>
        called.some(
          (each) =>
            each.environment === environment &&
            each.stack === stack &&
            JSON.stringify(each.Arn) === JSON.stringify({ 'Fn::GetAtt': [id, 'Arn'] }),
        ),
      );
      expect(hit.length).toBeGreaterThanOrEqual(10);
      for (const { properties } of hit)
        expect(properties['DeadLetterConfig'], String(properties['FunctionName'])).toBeDefined();
    });

    it('has functions on the right runtime, with a time-out and logs that end', () => {
      const functions = resourcesOf(stacks, 'AWS::Lambda::Function');
      expect(functions.length).toBeGreaterThan(30);
      for (const { properties, template } of functions) {
        const name = String(properties['FunctionName']);
        const isNative = /-(admission|features|rows|score|request-log|(endpoint|arm)-[a-z-]+)$/.test(name);
        expect(properties).toMatchObject({
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Architectures: [isNative ? 'x86_64' : 'arm64'],
        });
        expect(Number(properties['Timeout'])).toBeGreaterThanOrEqual(15);
        expect(Number(properties['Timeout'])).toBeLessThanOrEqual(900);
        const { LogGroup: group } = z
          .object({ LogGroup: z.object({ Ref: z.string() }) })
          .parse(properties['LoggingConfig']);
        expect(template.Resources[group.Ref]?.Properties, name).toMatchObject({
          LogGroupName: `/aws/lambda/${name}`,
          // An endpoint's lines hold raw events, which are kept for thirty days.
          RetentionInDays: name.includes('-endpoint-') ? 30 : config.retention.logDays,
        });
      }
      for (const { properties } of resourcesOf(stacks, 'AWS::Logs::LogGroup'))
        expect(properties['RetentionInDays']).toBe(
          String(properties['LogGroupName']).includes('-endpoint-') ? 30 : config.retention.logDays,
        );
    });

    it('keeps ledgers, catalogues and keys when a stack goes, and can go back in time', () => {
      for (const { properties } of resourcesOf(stacks, 'AWS::DynamoDB::Table')) {
        expect(properties).toMatchObject({
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          BillingMode: 'PAY_PER_REQUEST',
        });
      }
      for (const { template } of stacks) {
        for (const [id, { Type: type, ...resource }] of Object.entries(template.Resources)) {
          if (!['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::S3::Bucket', 'AWS::Cognito::UserPool'].includes(type))
            continue;
          expect(resource, id).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
        }
      }
    });

    it('invokes published versions, and the machines that their environment has', () => {
      for (const environment of ENVIRONMENTS) {
        const machines = resourcesOf(stacks, 'AWS::StepFunctions::StateMachine').filter(
          (each) => each.environment === environment,
        );
        const expected = MACHINES[environment].map((machine) => `gatehouse-${environment}-${machine}`);
        expect(machines.map(({ properties }) => String(properties['StateMachineName'])).toSorted()).toEqual(
          expected.toSorted(),
        );
        for (const { properties } of machines) {
          for (const [placeholder, value] of Object.entries(
            z.record(z.string(), z.unknown()).parse(properties['DefinitionSubstitutions']),
          )) {
            if (placeholder.endsWith('Machine'))
              expect(value).toMatch(new RegExp(`^arn:aws:states:.*:stateMachine:gatehouse-${environment}-`));
            else
              expect(JSON.stringify(value)).toMatch(
                /CurrentVersion|:function:gatehouse-\w+-(features|score|prober|serving-tests):live"/,
              );
          }
        }
      }
    });

    it('makes what may call a function after the function: by reference, and not by its name', () => {
      const permissions = resourcesOf(stacks, 'AWS::Lambda::Permission');
      expect(permissions.length).toBeGreaterThan(10);
      for (const { id, properties } of permissions) expect(typeof properties['FunctionName'], id).toBe('object');
    });

    it('reads what was built by its version', () => {
      const reads = resourcesOf(stacks, 'AWS::IAM::Policy').flatMap(({ properties, template }) =>
        statementsOf(properties['PolicyDocument'], template).filter(
          ({ Action: actions, resources }) =>
            actions.includes('s3:GetObject') &&
            resources.some((resource) => /-lake-\d+\/(\*|[a-z-]+\/daily\/\*)$/.test(resource)),
        ),
      );
      expect(reads.length).toBeGreaterThan(5);
      for (const { Action: actions } of reads) expect(actions).toContain('s3:GetObjectVersion');
    });

    it('lets people reach the API when they are signed in, calls endpoints only when they are signed, and nobody sign up', () => {
      for (const { environment, properties } of resourcesOf(stacks, 'AWS::ApiGatewayV2::Route'))
        expect(properties['AuthorizationType']).toBe(environment === 'control' ? 'JWT' : 'AWS_IAM');
      expect(resourcesOf(stacks, 'AWS::Cognito::UserPool')[0]?.properties).toMatchObject({
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      });
    });
  });
}
