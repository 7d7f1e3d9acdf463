import { readIncidents } from '#read-model/incidents.ts';
import { changeIncident } from '#use-cases/incidents/change-incident.ts';
import { tendIncidents } from '#use-cases/incidents/tend-incidents.ts';
import { type Environment, MODEL } from './_environments.ts';
import { rollBack } from './_machine.ts';
import { scene } from './_scene.ts';

/** What a person writes who closes an incident. */
export const ROOT_CAUSE = 'The producer changed the unit of a column from miles to kilometres.';
/** The incident of the rollback of the second release that prod serves. */
export const NAME = `${MODEL}-prod-rollback-2`;

let acts = 0;
/** A name that no other act has. */
export const fresh = (): string => `act-${(acts += 1)}`;

/** Prod with a champion and three roles to notify, and what happens to its incidents. */
export async function incidentScene() {
  const here = await scene();
  const prod = { ...here.prod, deployed: withRoles(here.prod.deployed) };
  await here.begin();
  return {
    here,
    prod,
    tend: (model: string | null = null, own: Environment = prod) => tendIncidents(own)({ model }),
    act: (action: string, given: Readonly<Record<string, unknown>> = {}) =>
      changeIncident(prod)({
        model: MODEL,
        incident: NAME,
        act: fresh(),
        actor: 'person:ann',
        action,
        comment: '',
        part: null,
        resolution: null,
        rootCause: action === 'close' ? ROOT_CAUSE : null,
        ...given,
      }),
    open: async () => (await readIncidents(prod.ledger, MODEL)).filter(({ status }) => status !== 'closed'),
    said: async (code: string) => (await prod.chain()).filter((record) => record.code === code),
    /** A bad release is rolled back: its incident is open. */
    rolledBack: async () => {
      const { release } = await here.letIn('bad');
      await rollBack(prod, { rollback: 'r-1', from: release });
      return release;
    },
  };
}
export type IncidentScene = Awaited<ReturnType<typeof incidentScene>>;

function withRoles(deployed: Environment['deployed']): Environment['deployed'] {
  const escalation = ['ml-engineer', 'ml-lead', 'platform'];
  return {
    ...deployed,
    models: deployed.models.map((model) => ({ ...model, definition: { ...model.definition, escalation } })),
  };
}
