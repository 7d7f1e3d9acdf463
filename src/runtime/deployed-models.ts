import { readFileSync } from 'node:fs';
import { type DeployedModels, parseDeployedModels } from '#domain/model/deployed.ts';

/** The models that synth compiled into this function's bundle. */
export function readDeployedModels(): DeployedModels {
  return parseDeployedModels(readFileSync(new URL('./models.json', import.meta.url), 'utf8'));
}
