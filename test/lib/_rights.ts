import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { rolesOf, synthesised } from './_synth.ts';

/** What AWS knows no resource for: pulling images, and the log deliveries of state machines. */
export const WITHOUT_RESOURCE = [
  'cloudwatch:GetMetricData',
  'ecr:GetAuthorizationToken',
  'lambda:ListEventSourceMappings',
  'logs:CreateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies',
  'logs:GetLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
  'sqs:ListQueues',
];

/** Who may write under which authority, beside CHAIN and OPERATION, which go with every audited change. */
const WRITERS: Record<string, Record<string, string[]>> = {
  dev: {
    ADMISSION: ['admission'],
    CURSOR: ['incidents', 'intake', 'integrity', 'publisher', 'validation'],
    INCIDENT: ['incidents'],
    PARTITION: ['admission'],
    PEER: ['intake'],
    DATA: ['data-quality'],
    FAULT: ['admission', 'incidents', 'intake', 'integrity', 'reconciler', 'supervisor'],
    REFUSAL: ['admission'],
    REGISTRATION: ['registration'],
    RELEASED: ['intake'],
    RUN: ['recorder', 'training', 'validation'],
    SCHEDULE: ['data-quality', 'incidents', 'integrity', 'reconciler', 'supervisor', 'training'],
    TASK: ['data-quality', 'reconciler', 'training', 'training-events'],
    VERSION: ['registration'],
  },
  staging: {
    ADMISSION: ['admission'],
    AGGREGATES: ['prediction-store', 'release'],
    ALARM: ['alarms'],
    APPROVAL: ['intake', 'pointer'],
    CURSOR: ['incidents', 'intake', 'integrity', 'publisher'],
    EVIDENCE: ['gates'],
    FAULT: ['admission', 'incidents', 'intake', 'integrity', 'reconciler', 'supervisor'],
    FENCE: ['prediction-store', 'recorder'],
    INCIDENT: ['incidents', 'release'],
    LOCK: ['pointer', 'reconciler', 'recorder', 'release'],
    PARTITION: ['admission'],
    PEER: ['intake'],
    POINTER: ['pointer'],
    POLICY: ['intake', 'release'],
    PROMOTION_REQUEST: ['intake'],
    PREDICTION: ['prediction-store'],
    PROMOTION: ['pointer', 'reconciler', 'recorder', 'release'],
    QUARANTINE: ['intake', 'pointer'],
    QUARANTINE_VOTE: ['intake'],
    READINESS: ['release'],
    REFUSAL: ['admission', 'prediction-store'],
    RUN: ['gates', 'prediction-store', 'recorder', 'release'],
    SCHEDULE: ['alarms', 'incidents', 'integrity', 'prediction-store', 'prober', 'reconciler', 'release', 'supervisor'],
    TASK: ['release'],
    ATTESTATION: ['intake'],
    UPSTREAM: ['intake'],
  },
  control: {
    CURSOR: ['intake', 'integrity', 'publisher'],
    ATTESTATION: ['attestations'],
    DECISION: ['approvals'],
    FAULT: ['intake', 'integrity', 'reconciler', 'supervisor'],
    PEER: ['intake'],
    REQUEST: ['intake'],
    SCHEDULE: ['integrity', 'reconciler', 'supervisor'],
  },
};

/** What every role may do, and what none may. */
export function rights(): void {
  let roles: ReturnType<typeof rolesOf>;
  beforeAll(async () => {
    roles = rolesOf(await synthesised());
  });

  const role = (name: string) => {
    const found = roles.find((each) => each.name === name);
    if (found === undefined)
      throw new Error(`no role ${name}; there are: ${roles.map((each) => each.name).join(', ')}`);
    return found;
  };
  const actionsOf = (name: string): string[] => role(name).statements.flatMap(({ Action }) => Action);

  describe('rights', () => {
    it('name every action, and a resource wherever AWS knows one', () => {
      expect(roles.length).toBeGreaterThan(40);
      for (const { name, statements, managed } of roles) {
        expect(managed, name).toEqual([]);
        for (const { Action: actions, resources, Effect: effect } of statements) {
          expect(effect).toBe('Allow');
          expect(resources.length, name).toBeGreaterThan(0);
          for (const action of actions) expect(action, name).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
          if (resources.some((resource) => resource === '*' || !/^(arn:|<)/.test(resource))) {
            for (const action of actions) expect(WITHOUT_RESOURCE, name).toContain(action);
          }
        }
      }
    });

    it('never reach over a whole account, region or service', () => {
      for (const { name, statements } of roles) {
        for (const resource of statements.flatMap(({ resources }) => resources)) {
          if (resource === '*' || !resource.startsWith('arn:')) continue;
          const [, , service = '', , , ...path] = resource.split(':');
          expect(service, name).not.toContain('*');
          // An asterisk stands at the end of a name that begins with ours.
          expect(path.join(':'), `${name}: ${resource}`).toMatch(/^[^*]+|^\*$/);
          expect(path.join(':').startsWith('*'), `${name}: ${resource}`).toBe(false);
        }
      }
    });

    it.each(ENVIRONMENTS)('to write are parted by authority in %s', (environment) => {
      const writers = new Map<string, string[]>();
      for (const { name, environment: of, statements } of roles) {
        if (of !== environment) continue;
        for (const { Action: actions, Condition: condition } of statements) {
          if (!actions.includes('dynamodb:PutItem')) continue;
          expect(actions).toEqual(['dynamodb:PutItem']);
          expect(condition['StringEquals']).toEqual({ 'dynamodb:EnclosingOperation': 'TransactWriteItems' });
          expect(condition['Null']).toEqual({ 'dynamodb:LeadingKeys': 'false' });
          const keys = z.array(z.string()).parse(condition['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']);
          for (const key of keys) {
            expect(key).toMatch(/^[A-Z_]+#\*$/);
            const authority = key.slice(0, -2);
            if (authority === 'CHAIN' || authority === 'OPERATION') continue;
            writers.set(
              authority,
              [...(writers.get(authority) ?? []), name.replace(`gatehouse-${environment}-`, '')].toSorted(),
            );
          }
        }
      }
      expect(Object.fromEntries(writers)).toEqual(WRITERS[environment === 'prod' ? 'staging' : environment]);
    });

    it('hold no way around the transactions', () => {
      const allowed = [
        'dynamodb:BatchGetItem',
        'dynamodb:ConditionCheckItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
      ];
      const streams = [
        'dynamodb:DescribeStream',
        'dynamodb:GetRecords',
        'dynamodb:GetShardIterator',
        'dynamodb:ListStreams',
      ];
      // Rows for look-up are no ledger's items; the one right to put them is for their own table.
      const rows = ['dynamodb:BatchWriteItem'];
      for (const { name } of roles) {
        const own = actionsOf(name).filter((action) => action.startsWith('dynamodb:'));
        const may = name.endsWith('-publisher') ? [...allowed, ...streams] : name.endsWith('-rows') ? rows : allowed;
        expect(
          own.filter((action) => !may.includes(action)),
          name,
        ).toEqual([]);
      }
    });

    it.each(['staging', 'prod'] as const)('to put rows in %s end at their own table', (environment) => {
      const puts = role(`gatehouse-${environment}-rows`).statements.filter(({ Action }) =>
        Action.includes('dynamodb:BatchWriteItem'),
      );
      const { predictionTable } = namesOf(config, environment);
      expect(puts.map(({ resources }) => resources)).toEqual([[expect.stringMatching(`:table/${predictionTable}$`)]]);
    });

    it.each(['dev', 'staging', 'prod'])(
      'of functions that run foreign code in %s reach neither the ledger nor a key',
      (environment) => {
        for (const privilege of ['features', 'score']) {
          const services = new Set(
            actionsOf(`gatehouse-${environment}-${privilege}`).map((action) => action.split(':')[0]),
          );
          expect([...services].toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual(['logs', 's3']);
        }
      },
    );

    it.each(['staging', 'prod'] as const)(
      'of arms in %s are those of an endpoint that writes nothing',
      (environment) => {
        const reading = (name: string) =>
          role(`gatehouse-${environment}-${name}-flight-delay`)
            .statements.filter(({ Action }) => !Action.some((action) => action.startsWith('logs:')))
            .map(({ Action, resources }) => `${Action.join(', ')} on ${resources.join(', ')}`);
        const endpoint = reading('endpoint');
        const own = ['kms:GenerateDataKey', 's3:PutObject', 'lambda:InvokeFunction'];
        for (const arm of ['arm-candidate', 'arm-control'])
          expect(reading(arm).toSorted()).toEqual(
            endpoint.filter((right) => !own.some((action) => right.startsWith(action))).toSorted(),
          );
        // Each endpoint calls its own two arms, by their aliases, and nobody else does.
        expect(endpoint.filter((right) => right.startsWith('lambda:'))).toEqual([
          `lambda:InvokeFunction on <<gatehouse-${environment}-arm-candidate-flight-delay>:live>`,
          `lambda:InvokeFunction on <<gatehouse-${environment}-arm-control-flight-delay>:live>`,
        ]);
        const callers = roles.filter(({ statements }) =>
          statements.some(
            ({ Action, resources }) =>
              Action.includes('lambda:InvokeFunction') &&
              resources.some((resource) => /-arm-(candidate|control)-/.test(resource)),
          ),
        );
        expect(callers.map(({ name }) => name).toSorted()).toEqual([
          'gatehouse-prod-endpoint-flight-delay',
          'gatehouse-staging-endpoint-flight-delay',
        ]);
      },
    );

    it('of the function that draws reports end at documents and objects that are named by their content', () => {
      const { lakeBucket, artifactBucket } = namesOf(config, 'dev');
      const own = role('gatehouse-dev-report').statements.filter(({ Action }) => !Action.includes('logs:PutLogEvents'));
      expect(own.map(({ Action, resources }) => [Action, resources])).toEqual([
        [['s3:GetObject'], [`arn:aws:s3:::${lakeBucket}/objects/*`]],
        [['s3:ListBucket'], [`arn:aws:s3:::${lakeBucket}`]],
        [['s3:GetObject', 's3:PutObject'], [`arn:aws:s3:::${artifactBucket}/objects/*`]],
        [['s3:ListBucket'], [`arn:aws:s3:::${artifactBucket}`]],
      ]);
    });

    it('on keys are the publisher’s to sign, endpoints’ to encrypt, the request log’s to decrypt, and the supervisor’s to look at', () => {
      const users: Record<string, { readonly by: RegExp; readonly key: RegExp }> = {
        'kms:Sign, kms:GetPublicKey': { by: /-publisher$/, key: /^<ExchangeSigningKey.*\.Arn>$/ },
        'kms:GenerateDataKey': { by: /-endpoint-[a-z-]+$/, key: /^<RequestLogKey.*\.Arn>$/ },
        'kms:Decrypt': { by: /-request-log$/, key: /^<RequestLogKey.*\.Arn>$/ },
        // Of the account's keys those with our two aliases, and none can be used by it.
        'kms:DescribeKey': {
          by: /-((staging|prod)-release|supervisor)$/,
          key: /^arn:aws:kms:us-east-1:\d{12}:key\/\*$/,
        },
      };
      for (const { name, statements } of roles) {
        for (const { Action: actions, resources } of statements) {
          if (!actions.some((action) => action.startsWith('kms:'))) continue;
          const user = users[actions.join(', ')];
          expect(name).toMatch(user?.by ?? /nobody/);
          expect(resources).toEqual([expect.stringMatching(user?.key ?? /nothing/)]);
        }
      }
      expect(roles.filter(({ name }) => actionsOf(name).includes('kms:Sign'))).toHaveLength(4);
      const aliases = ['alias/gatehouse-prod-signing', 'alias/gatehouse-prod-request-log'];
      const describing = role('gatehouse-prod-release').statements.find(({ Action }) =>
        Action.includes('kms:DescribeKey'),
      );
      expect(describing?.Condition).toEqual({ 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': aliases } });
    });

    it('on retention are to read it, of released artifacts', () => {
      const { artifactBucket } = namesOf(config, 'prod');
      const found = roles.flatMap(({ name, statements }) =>
        statements
          .filter(({ Action }) => Action.some((action) => action.includes('Retention')))
          .map((each) => ({ name, ...each })),
      );
      expect(found.map(({ name }) => name).toSorted()).toEqual(['gatehouse-prod-release', 'gatehouse-staging-release']);
      expect(found.find(({ name }) => name.includes('prod'))).toMatchObject({
        Action: ['s3:GetObjectRetention'],
        resources: [`arn:aws:s3:::${artifactBucket}/objects/*`],
      });
    });

    it('of training jobs end at the rows that were exported for them', () => {
      const { trainingBucket } = namesOf(config, 'dev');
      const s3 = role('gatehouse-dev-trainer').statements.filter(({ Action }) =>
        Action.some((action) => action.startsWith('s3:')),
      );
      expect(s3.map(({ Action, resources, Condition }) => [Action, resources, Condition])).toEqual([
        [['s3:GetObject'], [`arn:aws:s3:::${trainingBucket}/runs/*/train/*`], {}],
        [['s3:PutObject'], [`arn:aws:s3:::${trainingBucket}/runs/*/output/*`], {}],
        [['s3:ListBucket'], [`arn:aws:s3:::${trainingBucket}`], { StringLike: { 's3:prefix': ['runs/*'] } }],
      ]);
      const others = actionsOf('gatehouse-dev-trainer').filter((action) => !/^(s3|ecr|logs):/.test(action));
      expect(others).toEqual([]);
    });

    it('to delete anything are nobody’s', () => {
      for (const { name } of roles) {
        const deleting = actionsOf(name).filter((action) =>
          /:(Delete|Remove|Untag|Purge|BypassGovernance)/.test(action),
        );
        expect(
          deleting.filter((action) => action !== 'sqs:DeleteMessage' && action !== 'logs:DeleteLogDelivery'),
          name,
        ).toEqual([]);
      }
    });

    it('are as the privilege map says', async () => {
      const map = Object.fromEntries(
        roles
          .toSorted((a, b) => (a.name < b.name ? -1 : 1))
          .map(({ name, statements }) => [
            name,
            statements
              .flatMap(({ Action, resources, Condition }) =>
                resources.map((on) => {
                  const where = Object.keys(Condition).length === 0 ? '' : ` if ${JSON.stringify(Condition)}`;
                  return `${Action.join(', ')} on ${on}${where}`;
                }),
              )
              .toSorted(),
          ]),
      );
      await expect(`${JSON.stringify(map, null, 2)}\n`).toMatchFileSnapshot('snapshots/privileges.snap');
    });
  });
}
