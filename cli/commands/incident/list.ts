import { z } from 'zod';
import { openParts, roleOf } from '#domain/incident/incident.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { mustBeKnown } from '../../references.ts';
import { type Section, shortTime } from '../../report.ts';
import { type FoundIncident, incidentsOf } from './find.ts';

const Input = z.object({ model: ModelName.optional(), all: z.boolean().default(false) });

/** The incidents that are not closed, and on demand all: what is wrong, who has it, and what of it is not settled. */
export const run: Run = async (context) => {
  const { model, all } = context.input(Input);
  if (model !== undefined) await mustBeKnown(context, model, 'prod');
  const found = (await incidentsOf(context, model)).filter(({ incident }) => all || incident.status !== 'closed');
  context.print({
    data: { incidents: found.map(({ environment, incident }) => ({ environment, ...incident })) },
    sections: [incidentsSection(found, context.now(), all ? 'there is none' : 'none is open; closed ones: --all')],
  });
};

/** Incidents as a table. */
export function incidentsSection(found: readonly FoundIncident[], now: Date, empty: string): Section {
  return {
    columns: ['incident', 'in', 'status', 'opened', 'who has it', 'root cause', 'open parts', 'what'],
    rows: found.map(({ environment, incident }) => [
      incident.incident,
      environment,
      incident.status,
      shortTime(incident.openedAt),
      incident.acknowledged?.by ?? `nobody; notified: ${roleOf(incident)}`,
      rootCauseText(incident, now),
      String(openParts(incident).length),
      incident.reason.slice(0, 60),
    ]),
    empty,
  };
}

/** When the root cause of an incident is due, or that it is there. */
export function rootCauseText({ closed, rootCauseDueAt }: FoundIncident['incident'], now: Date): string {
  if (closed !== null) return `given ${shortTime(closed.at)}`;
  return `${now.getTime() < Date.parse(rootCauseDueAt) ? 'due' : 'OVERDUE since'} ${shortTime(rootCauseDueAt)}`;
}
