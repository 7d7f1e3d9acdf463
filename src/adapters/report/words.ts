import type { Interval } from '#domain/comparison/judgement.ts';

/** What stands where nothing could be computed. */
export const NONE = '–';

/** Between a number and what it counts, where no line may end. */
const SPACE = '\u00a0';

/** A share as people read it. */
export function percent(share: number | null | undefined, digits = 2): string {
  return isNumber(share) ? `${minus((100 * share).toFixed(digits))}${SPACE}%` : NONE;
}

/** A gain: never without its sign. */
export function gain(share: number | null | undefined): string {
  return isNumber(share) ? `${signed(share)}${SPACE}%` : NONE;
}

/** The two bounds of a gain. */
export function gains(interval: Interval | null | undefined): string {
  if (interval === null || interval === undefined) return NONE;
  return [signed(interval[0]), 'to', signed(interval[1]), '%'].join(SPACE);
}

/** The least and the greatest of some numbers. */
export function range(of: Interval | null | undefined, digits: number): string {
  return of === null || of === undefined ? NONE : [number(of[0], digits), 'to', number(of[1], digits)].join(SPACE);
}

/** A number with so many digits after the point. */
export function number(value: number | null | undefined, digits: number): string {
  return isNumber(value) ? minus(grouped(value, digits)) : NONE;
}

/** A count with its thousands apart. */
export function count(value: number): string {
  return grouped(value, 0);
}

/** So many of something, e.g. `1 day` and `4 days`. */
export function many(amount: number, one: string): string {
  return `${count(amount)} ${one}${amount === 1 ? '' : 's'}`;
}

function grouped(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${minus((100 * share).toFixed(2))}`;
}

function minus(text: string): string {
  return text.replace(/^-/, '−');
}
