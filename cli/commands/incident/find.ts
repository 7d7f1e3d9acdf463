import type { Environment } from '#domain/environment/environment.ts';
import type { Incident } from '#domain/incident/incident.ts';
import { listSignalledModels } from '#read-model/cursors.ts';
import { readIncidents } from '#read-model/incidents.ts';
import type { Context } from '../../context.ts';
import { modelNames } from '../../references.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { whereDeployed } from '../status/collect.ts';

/** The environments that have incidents. */
const WITH_INCIDENTS = ['dev', 'staging', 'prod'] as const;

/** An incident, and where it is. */
export interface FoundIncident {
  readonly environment: Environment;
  readonly incident: Incident;
}

/** The incidents of the environments that are deployed, or of the one that `--env` names: also of models that were removed. */
export async function incidentsOf(context: Context, model?: string): Promise<readonly FoundIncident[]> {
  const environments = context.isEnvironmentNamed ? [context.environment([...WITH_INCIDENTS])] : WITH_INCIDENTS;
  const known = await modelNames(context);
  const refusals: RefusedError[] = [];
  const each = environments.map((environment) =>
    whereDeployed(incidentsIn(context, environment, known, model), []).catch((error: unknown) => {
      if (!(error instanceof RefusedError) || error.refusal.rule !== 'credentials') throw error;
      refusals.push(error);
      return [];
    }),
  );
  const found = (await Promise.all(each)).flat();
  const [refusal] = refusals;
  // Whoever may read one account only sees what is there, and hears of the others.
  if (refusal !== undefined && refusals.length === environments.length) throw refusal;
  for (const { refusal: why } of refusals) context.note(`not looked at: ${why.found}`);
  return found;
}

async function incidentsIn(
  context: Context,
  environment: Environment,
  known: readonly string[],
  model: string | undefined,
): Promise<readonly FoundIncident[]> {
  const { ledger } = context.cloud(environment);
  const followed = model === undefined ? await listSignalledModels(ledger) : [];
  const models = model === undefined ? [...new Set([...known, ...followed])] : [model];
  const found = await Promise.all(models.map((name) => readIncidents(ledger, name)));
  return found.flat().map((incident) => ({ environment, incident }));
}

/** The incident that a person names: by its name, or by the beginning of it that no other has. */
export async function findNamed(context: Context, name: string): Promise<FoundIncident> {
  const all = await incidentsOf(context);
  const exact = all.find(({ incident }) => incident.incident === name);
  if (exact !== undefined) return exact;
  const [only, ...others] = all.filter(({ incident }) => incident.incident.startsWith(name));
  if (only === undefined) return refuse('incident-known', `there is no incident ${name}`);
  if (others.length === 0) return only;
  const names = [only, ...others].map(({ incident }) => incident.incident);
  return refuse('incident-unique', `${name} begins ${names.slice(0, 5).join(', ')}`);
}
