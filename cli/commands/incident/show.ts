import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Digest } from '#domain/canonical/digest.ts';
import { RootCause } from '#domain/incident/root-cause.ts';
import { readDocument } from '#ports/documents.ts';
import { readRecords } from '#read-model/chain.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context, Run } from '../../context.ts';
import { changedDecisions } from './decisions.ts';
import { findNamed } from './find.ts';
import { metricOf } from './metric.ts';
import { postmortem } from './postmortem.ts';
import { timelineOf } from './timeline.ts';
import { incidentReport, type IncidentView } from './view.ts';

const Input = z.object({
  incident: z.string().min(1),
  postmortem: z.boolean().default(false),
  out: z.string().min(1).optional(),
});

export const run: Run = async (context) => {
  const { incident: name, postmortem: isDraft, out } = context.input(Input);
  const view = await viewOf(context, name);
  if (!isDraft) {
    context.print(incidentReport(view, context.now()));
    return;
  }
  const file = resolve(out ?? join('docs', 'postmortems', `${view.incident.incident}.md`));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, postmortem(view));
  context.print({
    data: { incident: view.incident.incident, file },
    sections: [{ lines: [`the facts are filled in: ${file}`] }],
  });
};

async function viewOf(context: Context, name: string): Promise<IncidentView> {
  const { environment, incident } = await findNamed(context, name);
  const cloud = context.cloud(environment);
  const records = (await readRecords(cloud.ledger, incident.model)).map(({ record }) => record);
  const { moments, ...metric } = await metricOf(context, cloud, incident);
  const timeline = [...timelineOf(incident, records), ...moments].toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const { rollback, closed } = incident;
  const decisions =
    rollback === null ? undefined : await changedDecisions(cloud, incident, rollback, records).catch(unread);
  const rootCause = closed === null ? null : await textOf(cloud, closed.rootCause);
  return { environment, incident, timeline, metric, decisions, rootCause };
}

/** The root cause that an incident was closed with. */
async function textOf({ documents }: Cloud, digest: Digest): Promise<string> {
  return (await readDocument(documents, RootCause, digest)).text;
}

/** What of an incident cannot be computed says why: the rest of it is shown. */
function unread(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
