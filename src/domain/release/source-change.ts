import { truncated } from '../audit/truncated.ts';
import { type Digest, digestOfJson } from '../canonical/digest.ts';
import { type EventColumn, type LaterColumn, type ModelDefinition, typeOf } from '../model/definition.ts';

/** How what a release reads of its sources differs from what another one reads: the level of a version, and the reason in words. */
export interface SourceChange {
  readonly level: 'major' | 'minor';
  readonly reason: string;
}

type Sources = Pick<ModelDefinition, 'events' | 'labels'>;

/** The columns that rows are known by. */
const EVENT_ROLES = ['id', 'entity', 'time'] as const;
const LABEL_ROLES = ['join', 'value', 'arrivedAt'] as const;
/** Most changes that a reason names, and most bytes that it has: it is part of a record. */
const MOST_NAMED = 5;
const MOST_BYTES = 1000;

/**
 * The change of the declared sources between two releases, or undefined. Major is what no longer reads a day that was read before,
 * knows rows by something else, or takes a column away: producers and readers have to act first. Minor is what still reads each day that was
 * read before, whatever it then makes of it.
 */
export function sourceChange(before: Sources, after: Sources): SourceChange | undefined {
  const changes = [
    ...EVENT_ROLES.flatMap((role) => roleChange(`events.${role}`, before.events[role], after.events[role])),
    ...columnChanges('events', before.events.columns, after.events.columns),
    ...LABEL_ROLES.flatMap((role) => roleChange(`labels.${role}`, before.labels[role], after.labels[role])),
    ...columnChanges('labels', before.labels.columns, after.labels.columns),
  ];
  const major = changes.filter(({ level }) => level === 'major');
  const [level, told] = major.length > 0 ? (['major', major] as const) : (['minor', changes] as const);
  if (told.length === 0) return undefined;
  const named = truncated(
    told.map(({ reason }) => reason),
    MOST_NAMED,
    MOST_BYTES,
  );
  const more = told.length > MOST_NAMED ? [`${told.length - MOST_NAMED} more`] : [];
  return { level, reason: [...named, ...more].join('; ') };
}

/** The digest of all of the sources that `sourceChange` looks at: where it is the same, nothing of them changed. */
export function sourcesOf({ events, labels }: Sources): Digest {
  const { id, entity, time } = events;
  const { join, value, arrivedAt } = labels;
  return digestOfJson({
    events: { id, entity, time, columns: events.columns },
    labels: { join, value, arrivedAt, columns: labels.columns },
  });
}

function roleChange(role: string, before: string, after: string): readonly SourceChange[] {
  return before === after ? [] : [{ level: 'major', reason: `${role} is ${after}, was ${before}` }];
}

type Columns = Readonly<Record<string, EventColumn>>;

function columnChanges(kind: string, before: Columns, after: Columns): readonly SourceChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((name) => {
    const change = columnChange(before[name], after[name]);
    return change === undefined ? [] : [{ ...change, reason: `${kind} column ${name} ${change.reason}` }];
  });
}

function columnChange(before: EventColumn | undefined, after: EventColumn | undefined): SourceChange | undefined {
  if (after === undefined) return before === undefined ? undefined : { level: 'major', reason: 'was removed' };
  const [old, now] = [laterOf(before), laterOf(after)];
  if (before === undefined)
    return now === undefined
      ? { level: 'major', reason: 'was added without since, and earlier days lack it' }
      : { level: 'minor', reason: `was added since ${now.since}` };
  if (typeOf(before) !== typeOf(after)) return { level: 'major', reason: `is ${typeOf(after)}, was ${typeOf(before)}` };
  const required = (column: LaterColumn | undefined) =>
    column === undefined ? 'on each day' : `since ${column.since}`;
  if (old?.since !== now?.since) {
    // A column without since has been required from the first day on.
    const level = (now?.since ?? '') < (old?.since ?? '') ? 'major' : 'minor';
    return { level, reason: `is required ${required(now)}, was ${required(old)}` };
  }
  if (now === undefined || old?.default === now.default) return undefined;
  return {
    level: 'minor',
    reason: `has the default ${JSON.stringify(now.default)}, had ${JSON.stringify(old?.default)}`,
  };
}

function laterOf(column: EventColumn | undefined): LaterColumn | undefined {
  return typeof column === 'object' ? column : undefined;
}
