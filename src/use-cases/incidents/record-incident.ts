import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { INCIDENTS, type IncidentChange, joined, opened, settled } from '#domain/incident/changes.ts';
import {
  type Incident,
  incidentWrite,
  openParts,
  type Resolution,
  type RollbackFacts,
} from '#domain/incident/incident.ts';
import type { Signal } from '#domain/incident/signals.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { OperationsRule } from '#domain/policy/operations.ts';
import { readIncidents } from '#read-model/incidents.ts';
import { readOperations } from '#read-model/policy.ts';
import { findOperation } from '#read-model/chain.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface RecordingIncidents extends Recording {
  readonly deployed: DeployedModels;
}

/** How often a change is decided anew when another one came first. */
const ATTEMPTS = 8;

/** Who is notified of a model whose definition is deployed no more. */
const OTHERWISE = ['platform'];

/**
 * Changes one of a model's incidents, or opens one, once per operation: what is to change is decided anew as often as somebody else was
 * quicker. `decide` returns undefined where nothing is to be done.
 * @returns the incident after it; undefined where nothing was done, now or before
 */
export async function recordIncident(
  deps: Recording,
  model: string,
  operation: string,
  decide: (incidents: readonly Incident[]) => Promise<(IncidentChange & { readonly before?: Incident }) | undefined>,
): Promise<Incident | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if ((await findOperation(deps.ledger, model, operation)) !== undefined) return undefined;
    const change = await decide(await readIncidents(deps.ledger, model));
    if (change === undefined) return undefined;
    const { before, next, event } = change;
    const result = await recordChange(deps, { model, operation, writes: [incidentWrite(before, next)], event });
    if (result.kind !== 'refused') return next;
  }
  throw new GatehouseError('CHAIN_CONTENDED', `the incidents of ${model} did not come to rest; try again`, { model });
}

/** The operation by which a signal opens or joins an incident: there is one for each record. */
export function signalOperation(seq: number): string {
  return operationName('incident-signal', seq);
}

/** Opens an incident for a signal, or lets it join the open one of its model, kind and epoch. */
export async function takeSignal(
  deps: RecordingIncidents,
  model: string,
  signal: Signal,
  about: { readonly actor: string; readonly release: Digest | null; readonly rollback?: RollbackFacts },
): Promise<Incident | undefined> {
  const { rule, roles } = await responseOf(deps, model);
  return recordIncident(deps, model, signalOperation(signal.seq), async (incidents) => {
    const open = incidents.filter(({ status }) => status !== 'closed');
    const before =
      open.find((incident) => isOfRollback(incident, signal)) ?? open.find((incident) => isOfEpoch(incident, signal));
    if (before !== undefined)
      return { before, ...joined(before, signal, about.release, deps.clock.now(), about.rollback ?? before.rollback) };
    const incident = freeName(incidents, `${model}-${deps.environment}-${signal.kind}-${signal.epoch}`);
    const { release, actor, rollback = null } = about;
    return opened(signal, { incident, model, roles, rule, release }, actor, deps.clock.now(), rollback);
  });
}

/**
 * Ends, by what is seen and not by a person, each open part of incidents of which `endOf` says how it ended. They are read before what is
 * seen: what was signalled since is not ended.
 */
export async function settleParts(
  deps: Recording,
  model: string,
  incidents: readonly Incident[],
  endOf: (incident: Incident, part: string) => { readonly resolution: Resolution; readonly reason: string } | undefined,
): Promise<void> {
  for (const incident of incidents) {
    if (incident.status === 'closed') continue;
    for (const { part } of openParts(incident)) {
      const end = endOf(incident, part);
      if (end === undefined) continue;
      // What opens the part again is another signal.
      const operation = operationName('incident-part', incident.incident, part, incident.signals);
      await recordIncident(deps, model, operation, async (incidents) => {
        const before = incidents.find((each) => each.incident === incident.incident);
        if (before === undefined || before.status === 'closed' || before.signals !== incident.signals) return undefined;
        if (openParts(before).every((each) => each.part !== part)) return undefined;
        return { before, ...settled(before, { part, by: INCIDENTS, ...end }, deps.clock.now()) };
      });
    }
  }
}

function isOfEpoch(incident: Incident, { kind, epoch }: Signal): boolean {
  return incident.kind === kind && incident.epoch === epoch;
}

/** Whether a signal names the rollback of an incident: what comes late is of its epoch, and not of the one that the chain is in by then. */
function isOfRollback(incident: Incident, { kind, rollback }: Signal): boolean {
  return incident.kind === kind && rollback !== undefined && incident.rollback?.rollback === rollback;
}

/** A name that no incident has: what happens again after it was closed is another incident. */
function freeName(incidents: readonly Incident[], name: string): string {
  const taken = new Set(incidents.map(({ incident }) => incident));
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(free)) return free;
  }
}

/** Who is notified of a model's incidents, and within what time they act. */
async function responseOf(
  { ledger, deployed }: RecordingIncidents,
  model: string,
): Promise<{ readonly rule: OperationsRule; readonly roles: Incident['roles'] }> {
  const known = deployed.models.find(({ definition }) => definition.name === model);
  const rule = await readOperations(ledger, deployed, model);
  return { rule, roles: [...(known?.definition.escalation ?? OTHERWISE)] };
}
