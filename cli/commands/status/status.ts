import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { incidentsOf } from '../incident/find.ts';
import { modelNames } from '../../references.ts';
import { collectAttention } from './attention.ts';
import { modelStatus } from './collect.ts';
import { statusReport } from './view.ts';

/** How many of a model's newest releases are shown. */
const NEWEST = 5;

const Input = z.object({ model: ModelName.optional(), drift: z.boolean().optional(), sla: z.boolean().optional() });

export const run: Run = async (context) => {
  const { model, drift, sla } = context.input(Input);
  const models = model === undefined ? await modelNames(context) : [model];
  if (models.length === 0)
    refuse('model-known', `no model in ${context.modelFolders.join(', ')}`, 'make one: gatehouse model new NAME');
  if (drift === true) {
    const { driftReport } = await import('./drift.ts');
    context.print(await driftReport(context, models));
    return;
  }
  if (sla === true) {
    const { slaReport } = await import('./sla.ts');
    context.print(await slaReport(context, models));
    return;
  }
  const statuses = await Promise.all(models.map((name) => modelStatus(context, name, NEWEST)));
  if (
    statuses.every(
      (status) => status.environments.every(({ isDeployed }) => !isDeployed) && status.releases.length === 0,
    )
  ) {
    refuse('environment-deployed', 'no environment is deployed', 'run: gatehouse deploy (or gatehouse local up first)');
  }
  const [attention, incidents] = await Promise.all([collectAttention(context, models), incidentsOf(context, model)]);
  const open = incidents.filter(({ incident }) => incident.status !== 'closed');
  context.print(statusReport(statuses, context.now(), attention, open));
};
