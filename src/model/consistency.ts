import type { ModelDefinition } from '#domain/model/definition.ts';
import type { DataKind, Policy } from '#domain/policy/policy.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Config } from './config.ts';
import { CONFIG_RULES, DEPLOYMENT_RULES, type DescribedDeployment } from './config-rules.ts';
import { MODEL_RULES } from './model-rules.ts';

/** A compiled model with everything that may contradict it. */
export interface DescribedModel {
  readonly definition: ModelDefinition;
  /** The floor, tightened by the model. */
  readonly policy: Policy;
  /** What the model's own `policy.ts` says: it tells in which file a value stands. */
  readonly own: PolicyTightening;
  /** The suites of expectations that the model has, each as the columns that it is about. */
  readonly suites: Readonly<Partial<Record<DataKind, SuiteColumns>>>;
}

/** The columns that a suite is about. */
export interface SuiteColumns {
  /** Those that it expects something of. */
  readonly named: readonly string[];
  /** Each set of columns that it says are all that there are. */
  readonly whole: readonly (readonly string[])[];
}

/** Where values contradict each other, so that something could never pass. What is found names them all and their files. */
export interface Contradiction {
  readonly rule: string;
  readonly found: string;
  readonly remedy: string;
}

/** A rule between values that stand in different places: which ones, and why nothing could pass where it is broken. */
export interface ConsistencyRule<Subject> {
  readonly id: string;
  readonly compares: string;
  readonly because: string;
  readonly find: (subject: Subject) => readonly Omit<Contradiction, 'rule'>[];
}

/** Every contradiction of a model with its policy, the floor and its own files. */
export function contradictionsOf(model: DescribedModel): readonly Contradiction[] {
  return MODEL_RULES.flatMap(({ id, find }) => find(model).map((found) => ({ rule: id, ...found })));
}

/** Every contradiction within `gatehouse.config.ts`. */
export function contradictionsIn(config: Config): readonly Contradiction[] {
  return CONFIG_RULES.flatMap(({ id, find }) => find(config).map((found) => ({ rule: id, ...found })));
}

/** Every contradiction between `gatehouse.config.ts` and the models that are deployed by it. */
export function contradictionsWith(deployment: DescribedDeployment): readonly Contradiction[] {
  return DEPLOYMENT_RULES.flatMap(({ id, find }) => find(deployment).map((found) => ({ rule: id, ...found })));
}

/** A contradiction in a line. */
export function contradictionText({ rule, found, remedy }: Contradiction): string {
  return `${rule}: ${found}; ${remedy}`;
}

/** Refuses what could never pass. @throws GatehouseError `CONTRADICTION` with a line for each */
export function assertConsistent(contradictions: readonly Contradiction[]): void {
  if (contradictions.length === 0) return;
  throw new GatehouseError('CONTRADICTION', contradictions.map(contradictionText).join('\n'), { contradictions });
}
