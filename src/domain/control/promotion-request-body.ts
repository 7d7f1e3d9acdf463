import { z } from 'zod';
import type { AuditEvent } from '../audit/events.ts';
import { Digest } from '../canonical/digest.ts';
import type { Refusal } from '../refusal/refusal.ts';
import { ModelName } from '../model/definition.ts';
import { CanaryRequest } from '../policy/canary.ts';
import { Hotfix, TargetEnvironment } from '../policy/policy.ts';
import { REQUESTING_ROLES } from '../policy/role.ts';
import { Version } from '../release/registration.ts';

/** What a signed-in person asks for; the client's `requestId` makes a repetition harmless. */
export const PromotionRequestBody = z.strictObject({
  model: ModelName,
  release: Digest,
  version: Version,
  environment: TargetEnvironment,
  /** That it is to come to prod past staging, and why. */
  hotfix: Hotfix.exactOptional(),
  /** What its canary is to be otherwise than the policy says. */
  canaryRequest: CanaryRequest.exactOptional(),
  requestId: z.string().regex(/^[A-Za-z0-9-]{8,64}$/, '8 to 64 letters, digits or hyphens'),
});
export type PromotionRequestBody = z.infer<typeof PromotionRequestBody>;

/** Why a person may not ask, or undefined. */
export function whyNotRequestable(
  ask: PromotionRequestBody,
  models: readonly string[],
  subject: string,
  groups: readonly string[],
): Refusal | undefined {
  const unknown = whyUnknownModel(ask.model, models);
  if (unknown !== undefined) return unknown;
  if (ask.hotfix !== undefined && ask.environment !== 'prod') {
    return {
      rule: 'hotfix-allowed',
      found: `a hotfix into ${ask.environment}`,
      remedy: 'a hotfix goes past staging into prod; request it without --hotfix',
    };
  }
  if (ask.canaryRequest !== undefined && ask.environment !== 'prod') {
    return {
      rule: 'canary-allowed',
      found: `a canary in ${ask.environment}`,
      remedy: 'canaries are of promotions to prod; request it without --canary-hours, --shadow-only and --ab',
    };
  }
  if (REQUESTING_ROLES.some((role) => groups.includes(role))) return undefined;
  return {
    rule: 'request-role',
    found: `${subject} is ${groups.join(', ') || 'in no role'}`,
    remedy: `let a person request it who is ${REQUESTING_ROLES.join(', ')}`,
  };
}

/** Why nobody may ask about a model, or undefined where it is deployed. */
export function whyUnknownModel(model: string, models: readonly string[]): Refusal | undefined {
  if (models.includes(model)) return undefined;
  const remedy = `name one of ${models.join(', ') || 'no model: none is deployed'}`;
  return { rule: 'model-known', found: model, remedy };
}

/** The event by which the target learns of the request. */
export function requestEvent(ask: PromotionRequestBody, subject: string): AuditEvent {
  return {
    code: 'PROMOTION_REQUESTED',
    actor: subject,
    release: ask.release,
    details: {
      environment: ask.environment,
      version: ask.version,
      requestedBy: subject,
      ...(ask.hotfix === undefined ? {} : { hotfix: ask.hotfix }),
      ...(ask.canaryRequest === undefined ? {} : { canaryRequest: ask.canaryRequest }),
    },
  };
}
