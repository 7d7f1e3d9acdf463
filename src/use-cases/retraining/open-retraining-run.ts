import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Day } from '#domain/model/definition.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { AsOf, logicalDay } from '#use-cases/as-of.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const OpenRetrainingRun = contract({
  input: z.object({
    model: z.string(),
    asOf: AsOf,
    trigger: z.string(),
    /** The execution's name. */
    run: z.string(),
  }),
  output: z.object({ model: z.string(), run: z.string(), asOf: Day }),
});

/** Opens a run at one logical time: what it reads from here on is pinned. */
export function openRetrainingRun(deps: Recording & { readonly deployed: DeployedModels }): Task {
  return OpenRetrainingRun.task(async ({ model, trigger, run, ...given }) => {
    deployedModel(deps.deployed, model);
    const asOf = logicalDay(given.asOf, deps.clock);
    const startedAt = deps.clock.now().toISOString();
    const result = await recordChange(deps, {
      model,
      operation: operationName('run', run),
      writes: [
        {
          kind: 'put',
          item: {
            ...keys.run(model, run),
            model,
            run,
            machine: 'retraining',
            asOf,
            trigger,
            status: 'running',
            startedAt,
          },
          condition: ABSENT,
        },
      ],
      event: { code: 'RETRAINING_STARTED', actor: 'pipeline:training', release: null, details: { run, asOf, trigger } },
    });
    if (result.kind === 'refused')
      throw new GatehouseError('RUN_EXISTS', `there is a run ${run} already`, { model, run });
    return { model, run, asOf };
  });
}
