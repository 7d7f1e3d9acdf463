import { z } from 'zod';
import { GateId } from '../gates/gate.ts';
import { ModelName } from '../model/definition.ts';

/** The environments into which a release can be promoted. */
export const TargetEnvironment = z.enum(['staging', 'prod']);
export type TargetEnvironment = z.infer<typeof TargetEnvironment>;

/**
 * `initial` admits a model's baseline where there is no champion yet; `hotfix` admits to prod what staging has not seen;
 * the others are named after their target.
 */
export const Transition = z.enum(['initial', 'staging', 'prod', 'hotfix']);
export type Transition = z.infer<typeof Transition>;

/** That a person asks for a release to come to prod past staging, and why. */
export const Hotfix = z.strictObject({ reason: z.string().min(3).max(500) });
export type Hotfix = z.infer<typeof Hotfix>;

/** The groups of the user pool: a role is a group. */
export const Role = z.enum(['ml-engineer', 'ml-lead', 'platform', 'risk']);
export type Role = z.infer<typeof Role>;

/** How two models are compared. Tighter is larger, throughout. */
export const ComparisonRule = z.strictObject({
  /** Smallest relative gain in log loss that counts as an improvement, e.g. 0.005. */
  minimumImprovement: z.number().min(0).max(0.5),
  /** One-sided confidence of the lower bound, e.g. 0.95. */
  confidence: z.number().min(0.5).max(0.999),
  minimumDays: z.int().min(2).max(365),
  minimumRows: z.int().min(1),
  /** Smallest relative gain in log loss over a constant that predicts the base rate. */
  minimumSkill: z.number().min(0).max(1),
  /**
   * What passes provisionally, where the transition knows a probation: a relative gain that is likely and small, whose
   * lower bound is above minus the tolerance. Without it nothing does.
   */
  provisional: z
    .strictObject({ minimumImprovement: z.number().min(0).max(0.5), tolerance: z.number().min(0).max(0.5) })
    .exactOptional(),
});
export type ComparisonRule = z.infer<typeof ComparisonRule>;

const ApprovalRule = z.strictObject({ role: Role, count: z.int().min(1).max(5) });
export type ApprovalRule = z.infer<typeof ApprovalRule>;

const TransitionRule = z.strictObject({
  gates: z.array(GateId).min(1),
  approvals: z.array(ApprovalRule),
  /** Whether an offer opens the promotion by itself; otherwise a person asks for it. */
  opensOnOffer: z.boolean(),
  /** Hours after which evidence no longer counts. */
  evidenceValidHours: z.number().positive(),
  /** Hours that people have to decide. */
  approvalHours: z.number().positive(),
  /** How long a release that a gate passed provisionally may be served before it has to be judged. Without it none is let in. */
  probation: z.strictObject({ days: z.int().min(1).max(365) }).exactOptional(),
});
export type TransitionRule = z.infer<typeof TransitionRule>;

const rules = {
  comparison: ComparisonRule,
  transitions: z.strictObject({
    initial: TransitionRule,
    staging: TransitionRule,
    prod: TransitionRule,
    /** Without it nothing comes to prod past staging. */
    hotfix: TransitionRule.exactOptional(),
  }),
};

/** The organisation's floor: what no model's policy may loosen. */
export const PolicyFloor = z.strictObject(rules);
export type PolicyFloor = z.infer<typeof PolicyFloor>;

/** A compiled policy: the floor, tightened by the model. It is digested, activated as an audited act, and pinned by each promotion. */
export const Policy = z.strictObject({ formatVersion: z.literal(1), model: ModelName, ...rules });
export type Policy = z.infer<typeof Policy>;
