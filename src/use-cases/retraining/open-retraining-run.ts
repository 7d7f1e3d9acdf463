import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { logicalDay } from '#use-cases/as-of.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type Task, untypedTask as task } from '#use-cases/task.ts';

/** `asOf` may be a day or an instant, as the scheduler gives it; a run's name is the execution's. */
const Parameters = z.object({ model: z.string(), asOf: z.string().min(10), trigger: z.string(), run: z.string() });

/** Opens a run at one logical time: what it reads from here on is pinned. */
export function openRetrainingRun(deps: Recording & { readonly deployed: DeployedModels }): Task {
  return task(Parameters, async ({ model, trigger, run, ...given }) => {
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
