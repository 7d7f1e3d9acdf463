import { z } from 'zod';
import { localCloudStatus } from '#local/emulator/cloud.ts';
import { FAULTS, injectFault } from '#local/emulator/faults.ts';
import { ModelName } from '#domain/model/definition.ts';
import { readPointer } from '#read-model/pointer.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';

const Input = z.object({
  model: ModelName,
  kind: z.enum([...FAULTS, 'none']),
  milliseconds: z.coerce.number().int().min(1).max(25_000).default(3000),
});

export const run: Run = async (context) => {
  const { model, kind, milliseconds } = context.input(Input);
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
  const { current: release, version } = pointer;
  const functionName = cloud.names.functionName(`endpoint-${model}`);
  injectFault(status.cloud.home, functionName, kind === 'none' ? undefined : { release, kind, milliseconds });
  const line =
    kind === 'none'
      ? `no fault is injected into ${model} in ${environment} any more`
      : `${kind} are injected into ${model}@${version} in ${environment}, until another release is served or: gatehouse local fault ${model} none`;
  context.print({ data: { environment, model, release, version, kind, functionName }, sections: [{ lines: [line] }] });
};
