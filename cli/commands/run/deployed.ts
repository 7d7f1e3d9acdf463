import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { partsOutput } from '#domain/model/deployed.ts';
import { localParts } from '#model/compile-deployment.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import { modelFolders } from '../../references.ts';
import { RefusedError } from '../../refusal.ts';

/** Says which files of a model here are not those that are deployed: a run reads what is deployed. */
export async function noteUndeployed(context: Context, cloud: Pick<Cloud, 'outputs'>, model: string): Promise<void> {
  const folder = (await modelFolders(context)).get(model);
  if (folder === undefined) return;
  const outputs = await cloud.outputs('Training').catch((error: unknown) => {
    // Who may start a run need not be allowed to read stacks.
    if (error instanceof RefusedError) return {};
    throw error;
  });
  const output = (outputs as Readonly<Record<string, string>>)[partsOutput(model)];
  const again = 'the run reads what is deployed; deploy them: gatehouse deploy';
  if (output === undefined) {
    context.note(`deployed-files: nothing deployed is known of ${model}; ${again}`);
    return;
  }
  const deployed = z.record(z.string(), z.string()).parse(JSON.parse(output));
  try {
    const differing = Object.entries(await localParts(context.governance, folder)).filter(
      ([part, digest]) => deployed[part] !== digest,
    );
    if (differing.length > 0)
      context.note(
        `deployed-files: ${differing.map(([part]) => part).join(', ')} of ${model} differ from what is deployed; ${again}`,
      );
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    context.note(`deployed-files: the files of ${model} are not valid (gatehouse model check ${model}); ${again}`);
  }
}
