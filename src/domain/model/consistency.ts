import { cronProblem } from './cron.ts';
import { type ModelDefinition, typeOf } from './definition.ts';

/** One thing that is wrong with a definition: where, the value found there, and what is allowed. */
export interface DefinitionIssue {
  readonly path: string;
  readonly value: unknown;
  readonly allowed: string;
}

/** What a schema cannot say: the rules that hold between the fields of a model definition. */
export function inconsistencies(definition: ModelDefinition): DefinitionIssue[] {
  return [
    ...eventIssues(definition),
    ...labelIssues(definition),
    ...featureIssues(definition),
    ...onlineIssues(definition),
    ...timingIssues(definition),
  ];
}

function eventIssues({ events }: ModelDefinition): DefinitionIssue[] {
  const issues: DefinitionIssue[] = [];
  for (const role of ['id', 'entity', 'time'] as const) {
    if (events.columns[events[role]] === undefined) {
      issues.push({ path: `events.${role}`, value: events[role], allowed: oneOf(Object.keys(events.columns)) });
    }
  }
  check(issues, `events.columns.${events.id}`, typeOf(events.columns[events.id]), ['VARCHAR', 'BIGINT', 'INTEGER']);
  check(issues, `events.columns.${events.time}`, typeOf(events.columns[events.time]), ['TIMESTAMP']);
  for (const role of ['id', 'entity', 'time'] as const) {
    const column = events.columns[events[role]];
    if (typeof column !== 'object') continue;
    const allowed = `${column.type} without since: a row is known by its ${role}, and has one on each day`;
    issues.push({ path: `events.columns.${events[role]}`, value: column, allowed });
  }
  // Rows that are trained on have a column of this name beside the id and the label.
  if (events.id === 'day') issues.push({ path: 'events.id', value: 'day', allowed: 'another name: day is reserved' });
  // Daily aggregates, which have the entity, are given one of this name.
  if (events.entity === 'partition')
    issues.push({ path: 'events.entity', value: 'partition', allowed: 'another name: partition is reserved' });
  if (events.id === events.time)
    issues.push({ path: 'events.time', value: events.time, allowed: 'another column than events.id' });
  return issues;
}

function labelIssues({ events, labels }: ModelDefinition): DefinitionIssue[] {
  const issues: DefinitionIssue[] = [];
  for (const role of ['join', 'value', 'arrivedAt'] as const) {
    if (labels.columns[labels[role]] === undefined) {
      issues.push({ path: `labels.${role}`, value: labels[role], allowed: oneOf(Object.keys(labels.columns)) });
    }
  }
  check(issues, `labels.columns.${labels.value}`, labels.columns[labels.value], ['BOOLEAN']);
  check(issues, `labels.columns.${labels.arrivedAt}`, labels.columns[labels.arrivedAt], ['TIMESTAMP']);
  if (labels.value === 'day')
    issues.push({ path: 'labels.value', value: 'day', allowed: 'another name: day is reserved' });
  const idType = typeOf(events.columns[events.id]);
  if (idType !== undefined) check(issues, `labels.columns.${labels.join}`, labels.columns[labels.join], [idType]);
  if (events.source === labels.source) {
    issues.push({ path: 'labels.source', value: labels.source, allowed: 'another prefix than events.source' });
  }
  if (labels.horizonDays !== undefined && labels.horizonDays > labels.matureAfterDays) {
    const allowed = `at most labels.matureAfterDays, ${labels.matureAfterDays}: no label arrives before its horizon is over`;
    issues.push({ path: 'labels.horizonDays', value: labels.horizonDays, allowed });
  }
  if (events.columns[labels.value] !== undefined) {
    issues.push({
      path: 'events.columns',
      value: labels.value,
      allowed: 'columns without the label, which is known later only',
    });
  }
  return issues;
}

function featureIssues({ events, labels, features }: ModelDefinition): DefinitionIssue[] {
  const issues: DefinitionIssue[] = [];
  const taken = new Set([events.id, events.entity, events.time, labels.value, 'day', 'row_id', 'prediction']);
  const seen = new Set<string>();
  for (const [index, column] of features.columns.entries()) {
    const path = `features.columns.${index}`;
    if (taken.has(column)) {
      issues.push({ path, value: column, allowed: `a name other than the reserved ${oneOf([...taken])}` });
    }
    if (seen.has(column)) issues.push({ path, value: column, allowed: 'each name once' });
    seen.add(column);
  }
  return issues;
}

function onlineIssues({ events, online }: ModelDefinition): DefinitionIssue[] {
  const columns = Object.keys(events.columns);
  return (online?.context ?? []).flatMap(({ column, of }, index): DefinitionIssue[] => {
    const path = `online.context.${index}`;
    const named = [
      { path: `${path}.column`, value: column },
      ...of.map((value, at) => ({ path: `${path}.of.${at}`, value })),
    ];
    const unknown = named.filter(({ value }) => !columns.includes(value));
    if (unknown.length > 0) return unknown.map((each) => ({ ...each, allowed: oneOf(columns) }));
    const type = typeOf(events.columns[column]);
    return named.flatMap(({ path, value }) =>
      typeOf(events.columns[value]) === type
        ? []
        : [{ path, value, allowed: `a column of the type of ${column}, ${String(type)}` }],
    );
  });
}

function timingIssues({ windows, schedule }: ModelDefinition): DefinitionIssue[] {
  const issues: DefinitionIssue[] = [];
  const names = windows.map((window) => window.name);
  for (const name of new Set(names)) {
    if (names.filter((other) => other === name).length > 1)
      issues.push({ path: 'windows', value: name, allowed: 'each name once' });
  }
  if (!windows.some((window) => 'since' in window)) {
    issues.push({ path: 'windows', value: names, allowed: "at least one window that grows: { since: 'YYYY-MM-DD' }" });
  }
  const problem = cronProblem(schedule.cron);
  if (problem !== undefined) issues.push({ path: 'schedule.cron', value: schedule.cron, allowed: problem });
  if (!isTimezone(schedule.timezone)) {
    issues.push({
      path: 'schedule.timezone',
      value: schedule.timezone,
      allowed: 'an IANA time zone such as America/New_York or UTC',
    });
  }
  return issues;
}

function check(issues: DefinitionIssue[], path: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) issues.push({ path, value, allowed: oneOf(allowed) });
}

function oneOf(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `one of ${names.join(', ')}`;
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '' && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
