import { openParts } from '#domain/incident/incident.ts';
import { duration, shortDigest, shortTime } from '../../report.ts';
import type { IncidentView } from './view.ts';

/** A draft of an incident's report in Markdown: the facts are filled in, what only people know is asked. */
export function postmortem({ environment, incident, timeline, decisions }: IncidentView): string {
  const { rollback, parts, acknowledged, closed } = incident;
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`),
  ];
  const until = closed?.at ?? acknowledged?.at;
  const lines = [
    `# ${incident.incident}`,
    '',
    `${incident.model} in ${environment}, epoch ${incident.epoch}, opened ${shortTime(incident.openedAt)}: ${incident.reason}`,
    '',
    '## Summary',
    '',
    '(What happened, whom it touched and for how long, in three sentences.)',
    '',
    '## Facts',
    '',
    ...table(
      ['what', 'value'],
      [
        ['status', incident.status],
        ['acknowledged', acknowledged === null ? 'by nobody' : `${acknowledged.by}, ${shortTime(acknowledged.at)}`],
        [
          'time to acknowledge',
          acknowledged === null ? '-' : duration(Date.parse(acknowledged.at) - Date.parse(incident.openedAt)),
        ],
        ['roles notified', incident.roles.slice(0, incident.notified).join(', ')],
        ['open until', until === undefined ? 'still open' : shortTime(until)],
        ...(rollback === null
          ? []
          : [
              ['rolled back', shortDigest(rollback.from)],
              ['served again', shortDigest(rollback.release)],
              ['rollback', rollback.rollback],
              ['measured', rollback.alarm === undefined ? 'no alarm: a person or a review' : rollback.alarm.found],
            ]),
      ],
    ),
    '',
    '## Blast radius',
    '',
    ...(rollback === null
      ? ['No release was rolled back.']
      : [
          `- ${rollback.days.length} days of predictions, ${rollback.rows} rows${rollback.days.length === 0 ? '' : `: ${rollback.days[0]} to ${rollback.days.at(-1)}`}`,
          ...decisionLines(decisions).map((line) => `- ${line}`),
        ]),
    '',
    '## Parts',
    '',
    ...table(
      ['part', 'what', 'ended', 'by', 'why'],
      parts.map(({ part, what, resolution, by, at, reason }) => [
        part,
        what,
        resolution === null ? 'OPEN' : `${resolution}, ${shortTime(at)}`,
        by ?? '-',
        reason ?? '-',
      ]),
    ),
    ...(openParts(incident).length === 0 ? [] : ['', `${openParts(incident).length} parts are open.`]),
    '',
    '## Timeline',
    '',
    ...table(
      ['UTC', 'what', 'by', 'record'],
      timeline.map(({ at, what, by, seq }) => [
        at.slice(0, 19).replace('T', ' '),
        what,
        by,
        seq === null ? '-' : String(seq),
      ]),
    ),
    '',
    '## Root cause',
    '',
    '(Why it happened. Not who did it.)',
    '',
    '## What went well, and what did not',
    '',
    '## What keeps it from happening again',
    '',
    ...table(['action', 'owner', 'until'], [['', '', '']]),
    '',
  ];
  return lines.join('\n');
}

/** What is known of decisions that would have been different, in lines. */
export function decisionLines(decisions: IncidentView['decisions']): readonly string[] {
  if (decisions === undefined) return [];
  if (typeof decisions === 'string') return [`decisions: not known: ${decisions}`];
  const { threshold, rows, answers, missing, keepsEvents } = decisions;
  const said = (what: string, { compared, changed, unknown }: typeof rows): string =>
    `${what}: ${changed} of ${compared} decisions would have been different at ${threshold}${unknown === 0 ? '' : `; of ${unknown} nothing is known`}`;
  return [
    said('predictions', rows),
    ...(answers === null ? ['answers: none is in the request log'] : [said('answers', answers)]),
    ...(answers !== null && answers.unknown > 0
      ? [
          keepsEvents
            ? 'answers of events that no batch has can be computed again: gatehouse endpoint replay'
            : 'answers of events that no batch has cannot be computed again: raw events are not kept',
        ]
      : []),
    ...(missing.length === 0 ? [] : [`not compared: ${missing.slice(0, 5).join('; ')}`]),
  ];
}
