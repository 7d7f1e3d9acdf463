import { z } from 'zod';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { joined } from '#domain/incident/changes.ts';
import type { Incident, RollbackFacts } from '#domain/incident/incident.ts';
import { signalOf } from '#domain/incident/signals.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findAutomaticRollback } from '#read-model/alarms.ts';
import { findRecordOf } from '#read-model/chain.ts';
import { readIncidents } from '#read-model/incidents.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { switchOperation } from '#use-cases/rollback/switch-pointer.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { recordIncident, type RecordingIncidents, takeSignal } from './record-incident.ts';

export const OpenIncident = contract({
  input: z.object({
    model: z.string(),
    rollback: z.string(),
    actor: z.string(),
    serving: z.object({ status: z.string(), reason: z.string().optional() }),
  }),
  /** How many partitions the bad release has written. */
  output: z.object({ incident: z.string(), affected: z.int() }),
});

/**
 * Opens the incident of a rollback, with the partitions that the bad release has written: its blast radius. Whoever follows the chain may
 * have opened it by the rollback's record already; what is known here only, whether the release is served as a whole, joins it then.
 */
export function openIncident(deps: RecordingIncidents): Task {
  return OpenIncident.task(async ({ model, rollback, actor, serving }) => {
    const record = await findRecordOf(deps.ledger, model, switchOperation(rollback));
    const signal = record && signalOf(record, 0, isOnline(deps.deployed, model));
    if (record === undefined || signal === undefined)
      throw new GatehouseError('RECORD_VANISHED', `the record of ${rollback} of ${model} is not there`, { rollback });
    const said = serving.reason ?? serving.status;
    const facts = await rollbackFacts(deps.ledger, record, said);
    const about = { actor, release: facts.from, rollback: facts };
    const incident =
      (await takeSignal(deps, model, signal, about)) ?? (await sayServing(deps, model, { signal, facts, rollback }));
    return { incident: incident.incident, affected: incident.rollback?.days.length ?? 0 };
  });
}

/** Adds to the incident of a rollback that others opened whether the release is served, unless it says so. */
async function sayServing(
  deps: RecordingIncidents,
  model: string,
  { signal, facts, rollback }: { signal: Parameters<typeof takeSignal>[2]; facts: RollbackFacts; rollback: string },
): Promise<Incident> {
  const find = (incidents: readonly Incident[]) => incidents.find((each) => each.rollback?.rollback === rollback);
  await recordIncident(deps, model, operationName('incident-serving', rollback), async (incidents) => {
    const before = find(incidents);
    if (before === undefined || before.rollback?.serving === facts.serving) return undefined;
    const known = before.rollback ?? facts;
    return {
      before,
      ...joined(before, { ...signal, parts: [] }, facts.from, deps.clock.now(), {
        ...known,
        serving: facts.serving,
      }),
    };
  });
  const incident = find(await readIncidents(deps.ledger, model));
  if (incident !== undefined) return incident;
  throw new GatehouseError('RECORD_VANISHED', `the incident of ${rollback} of ${model} is not there`, { rollback });
}

/** What is known of a rollback by its record, and the days that the bad release has written. */
export async function rollbackFacts(
  ledger: ReadableLedger,
  record: AuditRecord,
  serving: string,
): Promise<RollbackFacts> {
  const { rollback, from } = detailsOf(record, 'RELEASE_ROLLED_BACK');
  const [published, automatic] = await Promise.all([
    readPredictions(ledger, record.model),
    findAutomaticRollback(ledger, record.model),
  ]);
  const affected = published.filter((manifest) => manifest.release === from);
  const alarm = automatic?.rollback === rollback ? automatic : undefined;
  return {
    rollback,
    from,
    release: Digest.parse(record.release),
    serving,
    ...(alarm === undefined
      ? {}
      : { alarm: { name: alarm.alarm, kind: alarm.kind, found: alarm.found, values: { ...alarm.values } } }),
    days: affected.map(({ day }) => day),
    rows: affected.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** Whether a model answers requests, by what is deployed. */
export function isOnline({ models }: DeployedModels, model: string): boolean {
  return models.some(({ definition }) => definition.name === model && definition.online !== undefined);
}
