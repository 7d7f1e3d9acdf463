import type { Context } from '../../context.ts';
import { followToSuccess, freshName, operator, startExecution, statesSection } from '../../executions.ts';
import { findIncident } from '#read-model/incidents.ts';
import type { FoundIncident } from './find.ts';

/** What a person asks of an incident. */
export interface Act {
  readonly action: 'acknowledge' | 'settle' | 'close';
  readonly comment?: string;
  readonly part?: string;
  readonly resolution?: 'recomputed' | 'withdrawn' | 'accepted';
  readonly rootCause?: string;
}

/** Changes an incident by its machine, as the caller, and says what it is then. */
export async function actOn(context: Context, { environment, incident }: FoundIncident, act: Act): Promise<void> {
  const cloud = context.cloud(environment);
  const { model, incident: name } = incident;
  const { action, comment = '', part = null, resolution = null, rootCause = null } = act;
  const execution = freshName('incident', model);
  const input = {
    model,
    incident: name,
    act: execution,
    actor: await operator(cloud),
    action,
    comment,
    part,
    resolution,
    rootCause,
  };
  const arn = await startExecution(cloud, 'incident', execution, input);
  if (!context.wait) {
    context.print({
      data: { incident: name, environment, execution },
      sections: [{ lines: [`see: gatehouse incident show ${name}`] }],
    });
    return;
  }
  const view = await followToSuccess(context, cloud, arn, model);
  const now = await findIncident(cloud.ledger, model, name);
  context.print({
    data: { environment, ...(now ?? incident) },
    sections: [{ lines: [`${name} in ${environment} is ${now?.status ?? 'unknown'}`] }, statesSection(view.progress)],
  });
}
