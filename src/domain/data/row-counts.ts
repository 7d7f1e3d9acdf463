import type { RowCountRule } from '../policy/policy.ts';
import { addDays, type PartitionKind } from './partition.ts';
import { percent } from '../text.ts';
import type { Verdict } from '../gates/gate.ts';

/** How many rows a day's partition has. */
export interface DayRows {
  readonly kind: PartitionKind;
  readonly day: string;
  readonly rows: number;
}

/** Whether days have as many rows as usual. */
export interface RowCountJudgement {
  /** INCONCLUSIVE where no day has enough of a past, which is not a pass. */
  readonly verdict: Exclude<Verdict, 'NOT_APPLICABLE'>;
  /** One for each day that is off, oldest first. */
  readonly reasons: readonly string[];
  /** Days that were compared with their past, and those that have too little of one. */
  readonly judged: number;
  readonly unjudged: number;
}

/**
 * Holds each day's rows against what is usual for it: the median of the same weekday in the weeks before, because a source
 * has its week, and a median does not follow one bad day. A source that is half missing passes every test of a model that
 * trained on it; only its rows tell. Days before `from` are a past to compare with, and not judged.
 */
export function judgeRowCounts(days: readonly DayRows[], rule: RowCountRule, from = ''): RowCountJudgement {
  const rowsOf = new Map(days.map(({ kind, day, rows }) => [`${kind} ${day}`, rows]));
  const reasons: string[] = [];
  let [judged, unjudged] = [0, 0];
  for (const { kind, day, rows } of days.toSorted((a, b) => (a.day < b.day ? -1 : 1))) {
    if (day < from) continue;
    const past = Array.from({ length: rule.weeks }, (_, week) =>
      rowsOf.get(`${kind} ${addDays(day, -7 * (week + 1))}`),
    );
    const known = past.filter((each) => each !== undefined);
    if (known.length < rule.minimumWeeks) {
      unjudged += 1;
      continue;
    }
    judged += 1;
    const usual = median(known);
    if (Math.abs(rows - usual) > rule.tolerance * usual) {
      const allowed = percent(rule.tolerance, 0);
      reasons.push(`${kind} of ${day}: ${rows} rows, usual are ${usual}, allowed: within ${allowed} of it`);
    }
  }
  const verdict = reasons.length > 0 ? 'FAIL' : judged > 0 ? 'PASS' : 'INCONCLUSIVE';
  return { verdict, reasons, judged, unjudged };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
