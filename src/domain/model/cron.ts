const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** What no field is. */
const NOTHING = /^(?!)/;
/** The fields as EventBridge Scheduler knows them; `extra` is what stands for a whole field, and not in a list. */
const FIELDS = [
  { name: 'minutes', first: 0, last: 59, words: [] as string[], extra: NOTHING, hasSteps: true },
  { name: 'hours', first: 0, last: 23, words: [], extra: NOTHING, hasSteps: true },
  { name: 'day of month', first: 1, last: 31, words: [], extra: /^(\?|L|LW|(0?[1-9]|[12]\d|3[01])W)$/, hasSteps: true },
  { name: 'month', first: 1, last: 12, words: MONTHS, extra: NOTHING, hasSteps: true },
  {
    name: 'day of week',
    first: 1,
    last: 7,
    words: WEEKDAYS,
    extra: new RegExp(`^(\\?|L|([1-7]|${WEEKDAYS.join('|')})(L|#[1-5]))$`),
    hasSteps: false,
  },
  { name: 'year', first: 1970, last: 2199, words: [], extra: NOTHING, hasSteps: true },
] as const;

/**
 * What is wrong with an EventBridge Scheduler expression, `cron(minutes hours day-of-month month day-of-week year)` or
 * `rate(value unit)`; undefined if it is valid.
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function cronProblem(expression: string): string | undefined {
  if (expression.startsWith('rate(')) {
    return /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)$/.test(expression)
      ? undefined
      : 'expected rate(1 minute|hour|day) or rate(<number> minutes|hours|days)';
  }
  const fields = /^cron\((.*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== FIELDS.length) {
    return 'expected cron(<minutes> <hours> <day of month> <month> <day of week> <year>)';
  }
  for (const [index, field] of FIELDS.entries()) {
    const text = fields[index] ?? '';
    if (!field.extra.test(text) && !text.split(',').every((part) => isPart(part, field))) {
      return `${field.name} is '${text}', expected ${field.first} to ${field.last}, *, a list, a range or a step`;
    }
  }
  if ((fields[2] === '?') === (fields[4] === '?')) return "exactly one of day of month and day of week must be '?'";
  return undefined;
}

function isPart(part: string, field: (typeof FIELDS)[number]): boolean {
  if (part === '*') return true;
  const [range = '', step, ...rest] = part.split('/');
  if (rest.length > 0 || (step !== undefined && !(field.hasSteps && /^[1-9]\d*$/.test(step)))) return false;
  if (range === '*') return true;
  const ends = range.split('-').map((text) => valueOf(text, field));
  return ends.length <= 2 && ends.every((end) => end !== undefined && end >= field.first && end <= field.last);
}

function valueOf(text: string, field: (typeof FIELDS)[number]): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = (field.words as readonly string[]).indexOf(text);
  return index < 0 ? undefined : index + field.first;
}
