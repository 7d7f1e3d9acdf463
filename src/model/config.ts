import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';

/** The environments, in the order in which a release travels; control is where people meet the system. */
export const ENVIRONMENTS = ['dev', 'staging', 'prod', 'control'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

const Account = z.strictObject({
  account: z.string().regex(/^\d{12}$/, 'an account id has 12 digits'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-central-1'),
  /** The profile of the AWS configuration that the command line uses for this account. */
  profile: z.string().min(1).optional(),
});

/** What `gatehouse.config.ts` says: the one file that every adopter edits. */
export const Config = z.strictObject({
  environments: z.strictObject({ dev: Account, staging: Account, prod: Account, control: Account }),
  /** E-mail addresses that hear of alerts, and of approvals that wait. */
  alerts: z.array(z.email()),
  approvers: z.array(z.email()),
  /** Images that do not belong to one model, by digest. */
  images: z
    .strictObject({
      /** `containers/data-quality`, pushed to dev's ECR. Without it data is checked on laptops only. */
      dataQuality: z
        .string()
        .regex(/@sha256:[0-9a-f]{64}$/, 'an image is named by digest: <repository>@sha256:<64 hex digits>'),
    })
    .optional(),
  retention: z.strictObject({
    logDays: z.union([z.literal(30), z.literal(90), z.literal(180), z.literal(365), z.literal(731)]),
    /** Years for which Object Lock keeps released artifacts. */
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
