import { z } from 'zod';
import { localCloudStatus } from '#local/emulator/cloud.ts';
import { FAULTS, injectFault } from '#local/emulator/faults.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { isOpen } from '#domain/promotion/promotion.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotions } from '#read-model/promotions.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';

const Input = z.object({
  model: ModelName,
  kind: z.enum([...FAULTS, 'none']),
  arm: z.enum(['champion', 'candidate', 'control']).default('champion'),
  milliseconds: z.coerce.number().int().min(1).max(25_000).default(3000),
});

export const run: Run = async (context) => {
  const { model, kind, arm, milliseconds } = context.input(Input);
  const status = localCloudStatus(context.home);
  if (status.state !== 'running')
    return refuse(
      'local-cloud-whole',
      'no local cloud runs; faults are injected there only',
      'start it: gatehouse local up',
    );
  const environment = context.environment(['staging', 'prod'], 'prod');
  const cloud = context.cloud(environment);
  const pointer = await readPointer(cloud.ledger, model);
  if (pointer === undefined) return refuse('champion-promoted', `nothing is promoted of ${model} in ${environment}`);
  const { release, version } =
    arm === 'candidate' && kind !== 'none' ? await candidateOf(cloud, pointer) : releaseOf(pointer);
  const functionName = cloud.names.functionName(arm === 'champion' ? `endpoint-${model}` : `arm-${arm}-${model}`);
  injectFault(status.cloud.home, functionName, kind === 'none' ? undefined : { release, kind, milliseconds });
  const line =
    kind === 'none'
      ? `no fault is injected into ${model} in ${environment} any more`
      : `${kind} are injected into ${model}@${version} in ${environment}, until another release is served or: gatehouse local fault ${model} none${arm === 'champion' ? '' : ` --arm ${arm}`}`;
  context.print({
    data: { environment, model, arm, release, version, kind, functionName },
    sections: [{ lines: [line] }],
  });
};

const releaseOf = ({ current: release, version }: Pointer) => ({ release, version });

/** The release that is to answer for the candidate's arm: that of the promotion which is under way. */
async function candidateOf({ ledger }: Cloud, pointer: Pointer): Promise<ReturnType<typeof releaseOf>> {
  const open = (await readPromotions(ledger, pointer.model)).find(({ status }) => isOpen(status));
  if (open !== undefined) return open;
  return refuse('promotion-open', `no promotion of ${pointer.model} into ${pointer.environment} is under way`);
}
