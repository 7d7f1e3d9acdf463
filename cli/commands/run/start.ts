import type { Environment } from '#domain/environment/environment.ts';
import { z } from 'zod';
import { addDays } from '#domain/data/partition.ts';
import { Day, ModelName } from '#domain/model/definition.ts';

import { readPartitions } from '#read-model/partitions.ts';
import { readRuns } from '#read-model/runs.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { followExecution, freshName, operator, startExecution, statesSection } from '../../executions.ts';
import { noteUndeployed } from './deployed.ts';
import { mustHaveEndedWell } from './ending.ts';

/** The machines that begin by the clock and may be begun by hand, and where they are; the first is meant if none is named. */
const STARTABLE = {
  retraining: ['dev'],
  'data-quality': ['dev'],
  probation: ['prod', 'staging'],
  drift: ['prod', 'staging'],
  'rollback-readiness': ['prod', 'staging'],
  'release-tests': ['staging'],
} as const satisfies Readonly<Record<string, readonly Environment[]>>;
type Startable = keyof typeof STARTABLE;
const MACHINE = z.enum(Object.keys(STARTABLE) as [Startable, ...Startable[]]).default('retraining');

const Input = z.object({ model: ModelName, asOf: Day.optional(), machine: MACHINE });

/** What a machine that judges something ends with. */
const Judged = z.looseObject({
  judgement: z.looseObject({ status: z.string(), reasons: z.array(z.string()).optional() }),
});

export const run: Run = async (context) => {
  const { model, asOf: given, machine } = context.input(Input);
  const places = STARTABLE[machine];
  const environment = context.environment(places, places[0]);
  const cloud = context.cloud(environment);
  const newest = given ?? (await readPartitions(cloud.ledger, model, 'events')).at(-1)?.day;
  if (newest === undefined)
    refuse(
      'data-admitted',
      `${environment} has admitted no events of ${model}`,
      `bring some: gatehouse data import ${model} --env ${environment}`,
    );
  if (environment === 'dev') await noteUndeployed(context, cloud, model);
  const asOf = given ?? addDays(newest, 1);
  const name = machine === 'retraining' ? freshName(model, asOf, 'manual') : freshName(model, asOf, machine);
  const arn = await startExecution(
    cloud,
    machine,
    name,
    inputOf(machine, { model, asOf, name, trigger: await operator(cloud) }),
  );
  context.note(`${machine} ${name} as of ${asOf} has begun`);
  if (!context.wait) {
    context.print({
      data: { model, run: name, machine, asOf, arn },
      sections: [{ lines: [`follow it: gatehouse run watch ${model} ${name} --machine ${machine}`] }],
    });
    return;
  }
  const view = await followExecution(context, cloud, arn, model);
  const recorded = (await readRuns(cloud.ledger, model)).find((item) => item.run === name);
  const judged = Judged.safeParse(view.output).data?.judgement;
  const status = recorded?.status ?? judged?.status ?? view.status;
  context.print({
    data: { model, run: name, machine, asOf, status: view.status, recorded, judgement: judged, states: view.states },
    sections: [
      { title: `${name}: ${status}`, ...statesSection(view.progress) },
      ...(judged?.reasons === undefined ? [] : [{ lines: judged.reasons }]),
    ],
  });
  await mustHaveEndedWell(cloud, { model, name, status, ...(judged?.reasons && { reasons: judged.reasons }) }, view);
};

/** What a machine's schedule would hand to it. */
function inputOf(
  machine: Startable,
  { model, asOf, name, trigger }: { model: string; asOf: string; name: string; trigger: string },
): object {
  switch (machine) {
    case 'retraining':
      return { model, asOf, trigger, run: name };
    case 'data-quality':
      return { model, training: null };
    case 'probation':
    case 'drift':
      return { model, asOf };
    case 'rollback-readiness':
      return { model };
    case 'release-tests':
      return { model, requestedBy: trigger };
  }
}
