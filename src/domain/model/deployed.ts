import { z } from 'zod';
import { type Digest, digestOfJson, parseDocument } from '../canonical/digest.ts';
import { GatehouseError } from '../error.ts';
import { DataKind, Policy } from '../policy/policy.ts';
import { ModelCard } from './card.ts';
import { SeenText } from '../text.ts';
import { ModelDefinition } from './definition.ts';

/** What synth hands to the functions of the pipeline: every model's definition and policy, the SQL that training starts from, and its expectations. */
export const DeployedModels = z.strictObject({
  formatVersion: z.literal(1),
  commit: z.string().min(1),
  /** The e-mail address of whoever wrote the commit. */
  author: SeenText.min(1).max(200).exactOptional(),
  models: z.array(
    z.strictObject({
      definition: ModelDefinition,
      policy: Policy,
      sql: z.record(z.string(), z.string()),
      /** The suites of `expectations/`, as canonical JSON. */
      expectations: z.partialRecord(DataKind, z.string()),
      card: ModelCard.exactOptional(),
    }),
  ),
});
export type DeployedModels = z.infer<typeof DeployedModels>;
export type DeployedModel = DeployedModels['models'][number];

/** The deployed model of a name. @throws GatehouseError `UNKNOWN_MODEL` naming those that there are. */
export function deployedModel(deployed: DeployedModels, name: string): DeployedModel {
  const model = deployed.models.find((candidate) => candidate.definition.name === name);
  if (model !== undefined) return model;
  const known = deployed.models.map((candidate) => candidate.definition.name).join(', ');
  throw new GatehouseError('UNKNOWN_MODEL', `no model ${name} is deployed here; there are: ${known}`, { name });
}

/** What a model is made of, part by part: files on a laptop are compared by it with what is deployed. */
export function partsOf({
  definition,
  policy,
  expectations,
}: Omit<DeployedModel, 'sql'>): Readonly<Record<string, Digest>> {
  return {
    'model.ts, features/ or training/': digestOfJson(definition),
    'policy.ts or governance/policy.ts': digestOfJson(policy),
    'expectations/': digestOfJson(expectations),
  };
}

/** The output of dev's stack that has the parts of a model: CloudFormation takes letters and digits, and names have no capitals. */
export function partsOutput(model: string): string {
  return `Model${model.replaceAll('-', 'X')}`;
}

/** The output of the inference stack that says where a model's endpoint is. */
export function endpointOutput(model: string): string {
  return `Endpoint${model.replaceAll('-', 'X')}`;
}

/** The digest of a policy, by which promotions pin it. */
export function policyDigest(policy: z.infer<typeof Policy>): Digest {
  return digestOfJson(policy);
}

/** Reads what synth wrote. */
export function parseDeployedModels(text: string): DeployedModels {
  return parseDocument(DeployedModels, JSON.parse(text), 'deployed models');
}
