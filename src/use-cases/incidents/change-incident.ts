import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { Person } from '#domain/control/person.ts';
import { acknowledged, closed, type IncidentChange, settled } from '#domain/incident/changes.ts';
import { type Incident, openParts } from '#domain/incident/incident.ts';
import { ROOT_CAUSE_BYTES, RootCause, whyNoRootCause } from '#domain/incident/root-cause.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { SeenText } from '#domain/text.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { writeDocument } from '#ports/documents.ts';
import { findIncident } from '#read-model/incidents.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';
import { recordIncident, type RecordingIncidents } from './record-incident.ts';

/**
 * `act` names this act for ever. `part` and `resolution` are of the action `settle`, `rootCause` is the text that `close` needs, in
 * Markdown; null elsewhere.
 */
export const ChangeIncident = contract({
  input: z.object({
    model: z.string().min(1),
    incident: z.string().min(1),
    act: z.string().min(1),
    actor: SeenText.min(1).max(200),
    action: z.enum(['acknowledge', 'settle', 'close']),
    comment: SeenText.max(500),
    part: z.string().nullable(),
    resolution: z.enum(['recomputed', 'withdrawn', 'accepted']).nullable(),
    rootCause: z.string().max(ROOT_CAUSE_BYTES).nullable(),
  }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('done'), incident: z.string(), is: z.string(), rootCause: Digest.nullable() }),
    Refused,
  ]),
});
type Input = z.output<typeof ChangeIncident.input>;

export interface ChangingIncidents extends RecordingIncidents {
  readonly documents: ArtifactStore;
}

/** What a person does with an incident: the person has it, ends a part of it, or closes it with its root cause. */
export function changeIncident(deps: ChangingIncidents): Task {
  return ChangeIncident.task(async (input) => {
    const { model, incident, act } = input;
    if (!Person.safeParse(input.actor).success) {
      const found = `${input.actor} is no person`;
      return { status: 'refused', refusal: refusal('actor-verified', found, 'act as a person: gatehouse incident') };
    }
    const rootCause = input.action === 'close' ? whyNoRootCause(input.rootCause ?? '') : undefined;
    if (rootCause !== undefined) return { status: 'refused', refusal: rootCause };
    let why: Refusal | undefined;
    const text = input.action === 'close' ? (input.rootCause ?? '') : undefined;
    const document =
      text === undefined ? null : await writeDocument(deps.documents, RootCause, { formatVersion: 1, incident, text });
    await recordIncident(deps, model, operationName('incident-act', incident, act), async (incidents) => {
      const before = incidents.find((each) => each.incident === incident);
      why = before === undefined ? unknownIncident(model, incident) : await whyNot(deps, before, input);
      if (before === undefined || why !== undefined) return undefined;
      const change = changeBy(before, input, document, deps.clock.now());
      return change && { before, ...change };
    });
    if (why !== undefined) return { status: 'refused', refusal: why };
    const now = await findIncident(deps.ledger, model, incident);
    if (now === undefined) return { status: 'refused', refusal: unknownIncident(model, incident) };
    return { status: 'done', incident, is: now.status, rootCause: now.closed?.rootCause ?? null };
  });
}

function unknownIncident(model: string, incident: string): Refusal {
  return refusal('incident-known', `${model} has no incident ${incident}`);
}

/** The change that a person asks for; undefined where it is as they want it to be. */
function changeBy(before: Incident, input: Input, document: Digest | null, now: Date): IncidentChange | undefined {
  const { action, actor, comment, part, resolution } = input;
  if (action === 'acknowledge')
    return before.acknowledged?.by === actor ? undefined : acknowledged(before, actor, comment, now);
  if (action === 'close') return document === null ? undefined : closed(before, actor, document, now);
  if (part === null || resolution === null) return undefined;
  return settled(before, { part, resolution, by: actor, reason: comment }, now);
}

/** Why an incident cannot be changed so. */
async function whyNot(deps: ChangingIncidents, before: Incident, input: Input): Promise<Refusal | undefined> {
  const { action, part: name, resolution } = input;
  if (before.closed !== null) {
    const { by, at } = before.closed;
    return refusal('incident-open', `${before.incident} was closed by ${by} at ${at}`);
  }
  const open = openParts(before).map(({ part }) => part);
  if (action === 'close' && open.length > 0)
    return refusal('incident-parts', `open: ${open.slice(0, 20).join(', ')}${open.length > 20 ? ', ...' : ''}`);
  if (action !== 'settle') return undefined;
  const part = before.parts.find((each) => each.part === name);
  if (part === undefined || resolution === null) {
    const known = before.parts.map((each) => each.part).join(', ') || 'none';
    return refusal(
      'incident-part-known',
      `${before.incident} has no part ${name ?? '(none named)'}`,
      `name one of: ${known}`,
    );
  }
  if (part.resolution !== null)
    return refusal(
      'incident-part-open',
      `${part.part} was ${part.resolution} by ${part.by ?? '-'} at ${part.at ?? '-'}`,
    );
  if (before.rollback === null || part.part !== 'predictions' || resolution !== 'recomputed') return undefined;
  const { from } = before.rollback;
  const left = (await readPredictions(deps.ledger, before.model)).filter(({ release }) => release === from).length;
  if (left === 0) return undefined;
  return refusal('incident-recomputed', `${left} days are still of ${from}`);
}
