import type { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel, policyDigest } from '#domain/model/deployed.ts';
import { ActivePolicy, PolicyApproval } from '#domain/policy/activation.ts';
import { OPERATIONS_DEFAULT, type OperationsRule } from '#domain/policy/operations.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list, startingWith } from './items.ts';

/** The policy that is in force for a model, where there ever was one. */
export async function readActivePolicy(ledger: ReadableLedger, model: string): Promise<ActivePolicy | undefined> {
  return find(ledger, keys.policy(model), ActivePolicy);
}

/**
 * The policy that is in force or, where there never was one, the deployed one as the first that will be: the one place that
 * decides by a policy that nobody has activated.
 */
export function activeOrDeployed(
  active: ActivePolicy | undefined,
  deployed: DeployedModels,
  model: string,
): ActivePolicy {
  if (active !== undefined) return active;
  const { policy: rules } = deployedModel(deployed, model);
  return { formatVersion: 1, policy: policyDigest(rules), activation: 1, rules };
}

/**
 * Within what time people act, and how often what is stored is looked at: by the policy in force or, where there never was one, the deployed
 * one. Of a model that was removed before it had any, the defaults.
 */
export async function readOperations(
  ledger: ReadableLedger,
  deployed: DeployedModels,
  model: string,
): Promise<OperationsRule> {
  return (await rulesFor(ledger, deployed, model))?.operations ?? OPERATIONS_DEFAULT;
}

/** The rules in force or, where there never were any, the deployed ones; undefined of a model that was removed before it had any. */
async function rulesFor(ledger: ReadableLedger, deployed: DeployedModels, model: string): Promise<Policy | undefined> {
  const active = await readActivePolicy(ledger, model);
  return active?.rules ?? deployed.models.find(({ definition }) => definition.name === model)?.policy;
}

/** With how much load an endpoint is tested where no policy says so. */
const LOAD_DEFAULT = { seconds: 10, connections: 2 };

/** With how much load an endpoint is tested: by the policy in force or, where there never was one, the deployed one. */
export async function readLoad(
  ledger: ReadableLedger,
  deployed: DeployedModels,
  model: string,
): Promise<{ readonly seconds: number; readonly connections: number }> {
  return (await rulesFor(ledger, deployed, model))?.attestations?.load ?? LOAD_DEFAULT;
}

/** The votes for a policy, or for any, in place of the one that is in force, those that have expired among them. */
export async function readPolicyVotes(
  ledger: ReadableLedger,
  model: string,
  { activation }: ActivePolicy,
  policy?: Digest,
): Promise<readonly PolicyApproval[]> {
  const { pk, sk } = keys.policyApproval(model, activation, policy ?? '', '');
  // Without a policy the key ends in two separators: all that have the activation begin with what is before the second.
  return list(ledger, pk, PolicyApproval, startingWith(policy === undefined ? sk.slice(0, -1) : sk));
}
