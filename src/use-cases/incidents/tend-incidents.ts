import { z } from 'zod';
import { escalated, type IncidentChange, remindedOf } from '#domain/incident/changes.ts';
import type { Incident } from '#domain/incident/incident.ts';
import { settledBy } from '#domain/incident/signals.ts';
import { listSignalledModels } from '#read-model/cursors.ts';
import { readIncidents } from '#read-model/incidents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readExpectedRuns } from '#read-model/schedules.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { recordFaults } from '#use-cases/audit/record-faults.ts';
import { each, type Fault, throwFaults } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { recordIncident, type RecordingIncidents, settleParts } from './record-incident.ts';
import { followSignals } from './follow-signals.ts';

export const TendIncidents = contract({
  input: z.object({
    /** Only the incidents of this model; null: of all, those that were removed among them. */
    model: z.string().nullable(),
  }),
  output: z.object({ open: z.record(z.string(), z.int()) }),
});

/**
 * Reads what is new in the chains, ends the parts of incidents that have become right, notifies the next role of those that nobody
 * acknowledges, and reminds of root causes. One model's fault never stops the others.
 */
export function tendIncidents(deps: RecordingIncidents): Task {
  return TendIncidents.task(async ({ model: only }) => {
    const faults: Fault[] = [];
    const open: Record<string, number> = {};
    const models = only === null ? await knownModels(deps) : [only];
    await each(
      faults,
      models,
      (model) => ({ item: `signals of ${model}`, model }),
      (model) => followSignals(deps, model),
    );
    // A record that cannot be read keeps nobody from being notified.
    await each(
      faults,
      models,
      (model) => ({ item: `incidents of ${model}`, model }),
      async (model) => {
        open[model] = await tend(deps, model, faults);
      },
    );
    if (only === null) await recordFaults(deps, 'incidents', faults);
    throwFaults(faults, { open });
    return { open };
  });
}

/** The models that are deployed, and those whose chains were followed before: a removed model may have an open incident. */
async function knownModels({ ledger, deployed }: RecordingIncidents): Promise<readonly string[]> {
  const followed = await listSignalledModels(ledger);
  const names = [...deployed.models.map(({ definition }) => definition.name), ...followed];
  return [...new Set(names)];
}

/** Tends the incidents of a model; how many are not closed. */
async function tend(deps: RecordingIncidents, model: string, faults: Fault[]): Promise<number> {
  const { ledger, clock } = deps;
  const open = (await readIncidents(ledger, model)).filter(({ status }) => status !== 'closed');
  if (open.length === 0) return 0;
  const [manifests, refusals, pointer, own, all] = await Promise.all([
    readPredictions(ledger, model),
    readOpenRefusals(ledger, model),
    readPointer(ledger, model),
    readExpectedRuns(ledger, model),
    readExpectedRuns(ledger, deps.environment),
  ]);
  const facts = {
    published: new Map(manifests.map(({ day, release }) => [day, release])),
    served: pointer?.current,
    heartbeats: new Map([...own.heartbeats, ...all.heartbeats]),
    refused: new Set(refusals.map(({ kind, day }) => `${kind} ${day}`)),
  };
  await settleParts(deps, model, open, ({ kind, rollback }, part) => settledBy(kind, part, rollback, facts));
  const rest = (await readIncidents(ledger, model)).filter(({ status }) => status !== 'closed');
  const named = (incident: string) => ({ item: `incidents of ${model}: ${incident}`, model });
  await each(
    faults,
    rest,
    ({ incident }) => named(incident),
    async (seen) => {
      const { incident } = seen;
      const step = async (verb: string, by: (before: Incident) => number, change: Tending): Promise<void> => {
        if (change(seen, clock.now()) === undefined) return;
        await recordIncident(deps, model, operationName(verb, incident, by(seen)), async (incidents) => {
          const before = incidents.find((one) => one.incident === incident);
          // Somebody may have acknowledged or closed it since.
          const changed = before === undefined || by(before) !== by(seen) ? undefined : change(before, clock.now());
          return before === undefined || changed === undefined ? undefined : { before, ...changed };
        });
      };
      await step('incident-escalated', ({ notified }) => notified, escalated);
      await step('incident-reminded', ({ reminded }) => reminded, remindedOf);
    },
  );
  return open.length;
}

type Tending = (incident: Incident, now: Date) => IncidentChange | undefined;
