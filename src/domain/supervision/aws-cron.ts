/** The first and the last value of each field: `5/15` means from 5 to the last, each 15th. */
const BOUNDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [1, 7],
  [1970, 2199],
] as const;
const [DAY_OF_MONTH, DAY_OF_WEEK] = [2, 4];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/**
 * An AWS cron expression, `minutes hours day-of-month month day-of-week year`, as croner's pattern of seven fields. AWS counts the days
 * of a week from 1, and lets a range begin a step or go over the end; a lone L as day of week is Saturday.
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function cronerPattern(fields: readonly string[]): string {
  return [
    '0',
    ...fields.map((field, index) => (index === DAY_OF_WEEK ? weekdayField(field) : plainField(field, index))),
  ].join(' ');
}

function plainField(field: string, index: number): string {
  if (index === DAY_OF_MONTH && /^(\?|\w*[LW])$/.test(field)) return field;
  return field
    .split(',')
    .flatMap((part) => plainPart(part, index))
    .join(',');
}

function plainPart(part: string, index: number): readonly string[] {
  const [range = '', step] = part.split('/');
  const every = step === undefined ? '' : `/${step}`;
  if (range === '*') return [part];
  const [from = 0, until] = range.split('-').map((text) => numberOf(text, index));
  const [first, last] = BOUNDS[index] ?? [0, 0];
  if (until === undefined) return [step === undefined ? String(from) : `${from}-${last}${every}`];
  if (from <= until) return [`${from}-${until}${every}`];
  // Over the end: each value by itself, because a step goes on from where it came to.
  const values = [...span(from, last), ...span(first, until)];
  return values.filter((_, at) => at % Number(step ?? 1) === 0).map(String);
}

/** Days 1 to 7 as 0 to 6, and `L`, `5L` and `5#2` with them. */
function weekdayField(field: string): string {
  if (field === '?' || field === '*') return field;
  if (field === 'L') return '6';
  const special = /^(\w+?)(L|#[1-5])$/.exec(field);
  if (special !== null) return `${numberOf(special[1] ?? '', DAY_OF_WEEK) - 1}${special[2] ?? ''}`;
  return field
    .split(',')
    .flatMap((part) => {
      if (part === '*') return [part];
      const [from = 1, until = from] = part.split('-').map((text) => numberOf(text, DAY_OF_WEEK));
      const days = from <= until ? span(from, until) : [...span(from, 7), ...span(1, until)];
      return days.map((day) => String(day - 1));
    })
    .join(',');
}

function span(from: number, until: number): readonly number[] {
  return Array.from({ length: until - from + 1 }, (_, index) => from + index);
}

function numberOf(text: string, index: number): number {
  if (/^\d+$/.test(text)) return Number(text);
  return (index === DAY_OF_WEEK ? WEEKDAYS : MONTHS).indexOf(text) + 1;
}
