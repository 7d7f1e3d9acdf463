import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { ABSENT } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Refusal } from '#domain/refusal/refusal.ts';
import { findAutomaticRollback } from '#read-model/alarms.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

export const OpenIncident = contract({
  input: z.object({
    model: z.string(),
    rollback: z.string(),
    actor: z.string(),
    reason: z.string(),
    from: Digest,
    release: Digest,
    serving: z.object({ status: z.string(), reason: z.string().optional() }),
  }),
  /** How many partitions the bad release has written. */
  output: z.object({ incident: z.string(), affected: z.int() }),
});

export const RecordRefusal = contract({
  input: z.object({ model: z.string(), rollback: z.string(), refusal: Refusal }),
  output: Refused,
});

/** Opens the incident of a rollback, with the partitions that the bad release has written: its blast radius. */
export function openIncident(deps: Recording): Task {
  return OpenIncident.task(async ({ model, rollback, actor, reason, from, release, serving }) => {
    const [published, automatic] = await Promise.all([
      readPredictions(deps.ledger, model),
      findAutomaticRollback(deps.ledger, model),
    ]);
    const affected = published.filter((manifest) => manifest.release === from);
    const alarm = automatic?.rollback === rollback ? automatic : undefined;
    const incident = `incident-${rollback}`;
    await recordChange(deps, {
      model,
      operation: operationName('incident', rollback),
      writes: [
        {
          kind: 'put',
          item: {
            ...keys.incident(model, incident),
            incident,
            status: 'open',
            rollback,
            reason,
            from,
            release,
            serving: serving.reason ?? serving.status,
            ...(alarm === undefined
              ? {}
              : { alarm: { name: alarm.alarm, kind: alarm.kind, found: alarm.found, values: { ...alarm.values } } }),
            days: affected.map(({ day }) => day),
            rows: affected.reduce((sum, { rows }) => sum + rows, 0),
            openedAt: deps.clock.now().toISOString(),
          },
          condition: ABSENT,
        },
      ],
      event: {
        code: 'INCIDENT_OPENED',
        actor,
        release: from,
        details: { incident, rollback, reason, affected: affected.length },
      },
    });
    return { incident, affected: affected.length };
  });
}

/** Records that a rollback could not be done, and why. */
export function recordRefusal(deps: Recording): Task {
  return RecordRefusal.task(async ({ model, rollback, refusal }) => {
    await recordChange(deps, {
      model,
      operation: operationName('refused', rollback),
      writes: [],
      event: {
        code: 'ROLLBACK_REFUSED',
        actor: 'pipeline:release',
        release: null,
        details: { rollback, rule: refusal.rule, found: refusal.found },
      },
    });
    return { status: 'refused', refusal };
  });
}
