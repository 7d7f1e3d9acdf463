import type { Incident } from '#domain/incident/incident.ts';
import { type Report, type Section, shortDigest, shortTime } from '../../report.ts';
import type { Decisions } from './decisions.ts';
import type { FoundIncident } from './find.ts';
import { rootCauseText } from './list.ts';
import type { MetricOfIncident } from './metric.ts';
import { decisionLines } from './postmortem.ts';
import type { Moment } from './timeline.ts';

/** All that is known of an incident. */
export interface IncidentView extends FoundIncident {
  readonly timeline: readonly Moment[];
  readonly metric: Omit<MetricOfIncident, 'moments'>;
  /** Undefined where nothing was rolled back; a text says why nothing is known. */
  readonly decisions: Decisions | string | undefined;
  /** What a person wrote when it was closed. */
  readonly rootCause: string | null;
}

/** An incident as a report. */
export function incidentReport(view: IncidentView, now: Date): Report {
  const { environment, incident, timeline, metric, rootCause } = view;
  const { parts, acknowledged, closed } = incident;
  const sections: Section[] = [
    {
      title: `${incident.incident} in ${environment}: ${incident.status}`,
      lines: [
        `  ${incident.reason}`,
        `  opened ${shortTime(incident.openedAt)}, ${incident.signals} signals`,
        `  ${acknowledged === null ? `nobody has it; notified: ${incident.roles.slice(0, incident.notified).join(', ')}` : `${acknowledged.by} has it since ${shortTime(acknowledged.at)}`}`,
        `  root cause ${rootCauseText(incident, now)}${closed === null ? '' : `, by ${closed.by}`}`,
      ],
    },
    {
      title: 'parts',
      columns: ['part', 'ended', 'by', 'what, or why'],
      rows: parts.map(({ part, what, resolution, by, reason }) => [
        part,
        resolution ?? 'OPEN',
        by ?? '-',
        (reason ?? what).slice(0, 100),
      ]),
      empty: 'none',
    },
    ...(incident.rollback === null ? [] : [blastRadius(incident, view)]),
    {
      title: 'timeline',
      columns: ['UTC', 'what', 'by', 'record'],
      rows: timeline.map(({ at, what, by, seq }) => [
        at.slice(0, 19).replace('T', ' '),
        what,
        by,
        seq === null ? '-' : String(seq),
      ]),
      empty: 'nothing is recorded of it',
    },
    { lines: [metric.picture === null ? `no picture: ${metric.reason}` : `picture: ${metric.picture}`] },
    ...(rootCause === null ? [] : [{ title: 'root cause', lines: rootCause.trimEnd().split('\n') }]),
  ];
  return { data: view, sections };
}

function blastRadius({ rollback }: Incident, { decisions }: IncidentView): Section {
  const { days = [], rows = 0, from, release } = rollback ?? {};
  const span = days.length === 0 ? 'no day' : `${days.length} days, ${days[0]} to ${days.at(-1)}`;
  return {
    title: 'blast radius',
    lines: [
      `  ${shortDigest(from)} was rolled back to ${shortDigest(release)}`,
      `  published predictions: ${span}, ${rows} rows`,
      ...decisionLines(decisions).map((line) => `  ${line}`),
    ],
  };
}
