import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';

const Account = z.strictObject({
  /** The AWS account id, 12 digits, e.g. `'111111111111'`. Four different accounts, or one for all (a trial). */
  account: z.string().regex(/^\d{12}$/, 'an account id has 12 digits'),
  /** The AWS region, the same in all environments, e.g. `'us-east-1'`. */
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-central-1'),
  /** The AWS profile by which the command line reaches this account, e.g. `'gatehouse-dev'`. Default: the credentials of the shell. */
  profile: z.string().min(1).optional(),
  /**
   * The account's quota of concurrent Lambda executions, as Service Quotas shows it, e.g. 1000. Of what is above 100 endpoints reserve equal
   * shares, so that requests and the pipeline cannot take each other's. Default: nothing is reserved, as a new account has too few.
   */
  concurrency: z.int().min(10).optional(),
});

/** What `gatehouse.config.ts` says: the one file that every adopter edits. */
export const Config = z.strictObject({
  /** Account, region and profile of each environment. */
  environments: z.strictObject({
    /** Where models are trained and validated. */
    dev: Account,
    /** Where a release serves first. */
    staging: Account,
    /** Production. */
    prod: Account,
    /** Where people sign in, approve and vote. */
    control: Account,
  }),
  /** E-mail addresses that get every alert, e.g. `['ml-alerts@example.com']`; each confirms its subscription once. */
  alerts: z.array(z.email()),
  /** E-mail addresses that get the notices of incidents which their role has to acknowledge, beside `alerts`, e.g. `{ platform: ['platform@example.com'] }`; roles are those of a model's `escalation`. Default: nobody. */
  onCall: z.record(z.string().min(1), z.array(z.email())).optional(),
  /** E-mail addresses that are notified when a promotion waits for approval, e.g. `['ml-approvers@example.com']`. */
  approvers: z.array(z.email()),
  /** CI systems whose jobs attest by their OIDC token. Each gets a route of control's API. Default: GitHub Actions. */
  ci: z
    .array(
      z.strictObject({
        /** Its name, by which producers of a policy name it, e.g. `'github'`. */
        name: z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'small letters, digits and hyphens'),
        /** The issuer of its tokens (`iss`), e.g. `'https://token.actions.githubusercontent.com'`. */
        issuer: z.url(),
        /** The audience that jobs fetch a token for, e.g. `'gatehouse'`. */
        audience: z.string().min(1).max(100),
        /** Where its runs are shown, e.g. `'https://github.com'`. */
        server: z.url(),
      }),
    )
    .max(5)
    .default([
      {
        name: 'github',
        issuer: 'https://token.actions.githubusercontent.com',
        audience: 'gatehouse',
        server: 'https://github.com',
      },
    ]),
  /** Whose logins of the forge and verified e-mail addresses are which user of control's pool, for the gate `code-review`, e.g. `{ alice: { logins: ['alice-gh'] } }`. Default: nobody. */
  people: z
    .record(
      z.string().regex(/^[^\s#]{1,128}$/, 'a user name'),
      z.strictObject({ logins: z.array(z.string().min(1).max(80)), emails: z.array(z.email()).exactOptional() }),
    )
    .default({}),
  /** Container images that do not belong to one model. Without it data is checked on laptops only. */
  images: z
    .strictObject({
      /** The image of `containers/data-quality` in dev's ECR, by digest, e.g. `'<account>.dkr.ecr.us-east-1.amazonaws.com/gatehouse/data-quality@sha256:…'`. */
      dataQuality: z
        .string()
        .regex(/@sha256:[0-9a-f]{64}$/, 'an image is named by digest: <repository>@sha256:<64 hex digits>'),
    })
    .optional(),
  /** How long logs and artifacts are kept. */
  retention: z.strictObject({
    /** Days for which CloudWatch keeps the logs of functions and state machines: 30, 90, 180, 365 or 731, e.g. 90. */
    logDays: z.union([z.literal(30), z.literal(90), z.literal(180), z.literal(365), z.literal(731)]),
    /** Years for which S3 Object Lock protects artifacts (governance mode), e.g. 7. */
    artifactYears: z.int().min(1).max(30),
  }),
});
export type Config = z.infer<typeof Config>;

/** Checks a configuration; an error names the field. */
export function defineConfig(config: z.input<typeof Config>): Config {
  return parseDocument(Config, config, 'gatehouse.config.ts');
}

/** Whether every environment has an account of its own. */
export function isIsolated(config: Config): boolean {
  return (
    new Set(ENVIRONMENTS.map((environment) => config.environments[environment].account)).size === ENVIRONMENTS.length
  );
}

/** What AWS wants to stay unreserved of an account's concurrent executions, and all that the pipeline has. */
const UNRESERVED = 100;

/** How many concurrent executions each of an environment's endpoints reserves; undefined where nothing can be reserved. */
export function endpointConcurrency(config: Config, environment: Environment, endpoints: number): number | undefined {
  const { account, concurrency } = config.environments[environment];
  if (concurrency === undefined || endpoints === 0) return undefined;
  const sharing = (['staging', 'prod'] as const).filter((each) => config.environments[each].account === account);
  const share = Math.floor((concurrency - UNRESERVED) / (endpoints * Math.max(1, sharing.length)));
  return share < 1 ? undefined : share;
}
