import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { resourcesOf, statementsOf, synthesised, type SynthesisedStack, textOf } from './_synth.ts';

/** What other accounts may reach. */
export function sharing(): void {
  let stacks: SynthesisedStack[];
  beforeAll(async () => {
    stacks = await synthesised();
  });

  const named = (environment: Environment) => namesOf(config, environment);

  describe('resources that others may reach', () => {
    const foreign = (environment: Environment) =>
      ENVIRONMENTS.filter((each) => each !== environment).map((each) => named(each));
    /** Who of the other accounts may do what: by account and role. */
    const grants = (
      type: string,
      policy: string,
      name: (properties: Record<string, unknown>, text: (value: unknown) => string) => string,
    ) =>
      resourcesOf(stacks, type).flatMap(({ environment, properties, template }) => {
        const text = (value: unknown): string => textOf(value, template);
        const own = ENVIRONMENTS.find((each) => each === environment) ?? 'dev';
        return statementsOf(properties[policy], template)
          .filter(({ Effect }) => Effect === 'Allow')
          .flatMap(({ Principal: principal, Action: actions, Condition: condition }) => {
            const who =
              typeof principal === 'string'
                ? principal
                : text(Object.values(z.record(z.string(), z.unknown()).parse(principal))[0]);
            const peer = foreign(own).find(({ account }) => who.includes(account));
            if (peer === undefined) return [];
            const arns = z.array(z.string()).parse(condition['ArnEquals']?.['aws:PrincipalArn']);
            expect(who).toBe(`arn:<AWS::Partition>:iam::${peer.account}:root`);
            expect(arns.at(-1)).toBe(`arn:aws:iam::${peer.account}:root`);
            expect(arns).toHaveLength(2);
            return actions.map((action) => `${name(properties, text)}: ${action} by ${arns[0]?.split('/').at(-1)}`);
          });
      });

    it('are read by exactly these roles of other accounts, and written by none', () => {
      const buckets = grants('AWS::S3::BucketPolicy', 'PolicyDocument', (properties, text) =>
        text(properties['Bucket']),
      );
      const readers = (bucket: string, ...by: string[]): string[] =>
        by.flatMap((reader) => [`<${bucket}>: s3:GetObject by ${reader}`, `<${bucket}>: s3:ListBucket by ${reader}`]);
      expect(buckets.toSorted()).toEqual(
        [
          // A hotfix comes to prod past staging: from where it is.
          ...readers(named('dev').artifactBucket, 'gatehouse-staging-release', 'gatehouse-prod-release'),
          ...readers(named('staging').artifactBucket, 'gatehouse-prod-release'),
          ...readers(named('dev').publishedBucket, 'gatehouse-staging-intake', 'gatehouse-prod-intake'),
          ...readers(named('staging').publishedBucket, 'gatehouse-prod-intake', 'gatehouse-control-intake'),
          ...readers(
            named('prod').publishedBucket,
            'gatehouse-dev-intake',
            'gatehouse-dev-validation',
            'gatehouse-control-intake',
          ),
          ...readers(named('control').publishedBucket, 'gatehouse-staging-intake', 'gatehouse-prod-intake'),
        ].toSorted(),
      );
      const topics = grants('AWS::SNS::TopicPolicy', 'PolicyDocument', (properties, text) =>
        text(z.array(z.unknown()).parse(properties['Topics'])[0]),
      );
      expect(topics.toSorted().map((each) => each.replaceAll(/[<>]/g, ''))).toEqual(
        [
          ['dev', 'staging'],
          ['dev', 'prod'],
          ['staging', 'prod'],
          ['staging', 'control'],
          ['prod', 'dev'],
          ['prod', 'control'],
          ['control', 'staging'],
          ['control', 'prod'],
        ]
          .flatMap(([of, by]) => [
            `gatehouse-${of}-announcements: sns:ListSubscriptionsByTopic by gatehouse-${by}-reconciler`,
            `gatehouse-${of}-announcements: sns:ListSubscriptionsByTopic by gatehouse-${by}-supervisor`,
            `gatehouse-${of}-announcements: sns:Subscribe by gatehouse-${by}-reconciler`,
          ])
          .toSorted(),
      );
      expect(grants('AWS::KMS::Key', 'KeyPolicy', () => 'key')).toEqual([]);
      expect(grants('AWS::SQS::QueuePolicy', 'PolicyDocument', () => 'queue')).toEqual([]);
    });

    it('take messages in the inbox from the peers’ topics only', () => {
      const inboxes = resourcesOf(stacks, 'AWS::SQS::QueuePolicy').flatMap(({ environment, properties, template }) =>
        statementsOf(properties['PolicyDocument'], template)
          .filter(
            ({ Effect, Condition }) =>
              Effect === 'Allow' && 'ArnEquals' in Condition && JSON.stringify(Condition).includes('announcements'),
          )
          .map(({ Condition }) => [environment, Condition['ArnEquals']?.['aws:SourceArn']]),
      );
      expect(Object.fromEntries(inboxes)).toEqual({
        dev: [named('prod').announcementsTopicArn],
        staging: [named('dev').announcementsTopicArn, named('control').announcementsTopicArn],
        prod: [
          named('dev').announcementsTopicArn,
          named('staging').announcementsTopicArn,
          named('control').announcementsTopicArn,
        ],
        control: [named('staging').announcementsTopicArn, named('prod').announcementsTopicArn],
      });
    });

    it('are buckets that are private, versioned and reached by TLS only', () => {
      const policies = resourcesOf(stacks, 'AWS::S3::BucketPolicy');
      const buckets = resourcesOf(stacks, 'AWS::S3::Bucket');
      expect(buckets).toHaveLength(15);
      for (const { environment, stack, id, properties } of buckets) {
        expect(properties['PublicAccessBlockConfiguration']).toEqual({
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        });
        expect(properties['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
        expect(properties['BucketEncryption']).toBeDefined();
        const policy = policies.find(
          (each) =>
            each.environment === environment &&
            each.stack === stack &&
            JSON.stringify(each.properties['Bucket']) === JSON.stringify({ Ref: id }),
        );
        const denials =
          policy === undefined
            ? []
            : statementsOf(policy.properties['PolicyDocument'], policy.template).filter(
                ({ Effect }) => Effect === 'Deny',
              );
        expect(denials).toEqual([
          expect.objectContaining({ Action: ['s3:*'], Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]);
        const isArtifacts = String(properties['BucketName']).includes('-artifacts-');
        const lock = {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 365 * config.retention.artifactYears } },
        };
        expect(properties['ObjectLockConfiguration']).toEqual(isArtifacts ? lock : undefined);
        const { Rules: rules } = z
          .object({
            Rules: z.array(z.looseObject({ Prefix: z.string().optional(), ExpirationInDays: z.int().optional() })),
          })
          .parse(properties['LifecycleConfiguration']);
        const hasEndpoints = /-(staging|prod)-lake-/.test(String(properties['BucketName']));
        // Nothing expires but the raw events of requests.
        expect(
          rules.flatMap(({ Prefix, ExpirationInDays: days }) => (days === undefined ? [] : [[Prefix, days]])),
        ).toEqual(
          hasEndpoints
            ? [
                ['request-events/flight-delay/', 30],
                ['request-events/', 30],
              ]
            : [],
        );
      }
    });
  });
}
