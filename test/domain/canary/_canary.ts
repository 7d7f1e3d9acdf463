import type { ArmCounts, CanaryMinute } from '#domain/canary/counts.ts';
import { judgeCanary } from '#domain/canary/judge.ts';
import { CanaryRule } from '#domain/policy/canary.ts';
import { drawBinomial } from '#domain/statistics/draws.ts';

export const START = new Date('2026-03-02T12:00:00.000Z');

export const RULE: CanaryRule = CanaryRule.parse({
  share: 0.1,
  hours: 1,
  deadlineHours: 4,
  toleratedErrorRate: 0.01,
  noErrors: false,
  assignment: 'event',
  armMs: 2000,
  closeMinutes: 2,
  staleMinutes: 10,
  power: 0.9,
});

/** The time so many minutes after the start. */
export function minuteAt(index: number): string {
  return new Date(START.getTime() + index * 60_000).toISOString();
}

/** Counts of an arm: requests, errors, slow, late. */
export function arm(requests: number, errors = 0, slow = 0, late = 0): ArmCounts {
  return { requests, errors, slow, late };
}

/** A minute by its index. */
export function minute(
  index: number,
  candidate: ArmCounts | null,
  control: ArmCounts | null = arm(10),
  champion: ArmCounts | null = arm(80),
): CanaryMinute {
  return { minute: minuteAt(index), candidate, control, champion };
}

/** As many minutes, each made by its index. */
export function minutes(count: number, of: (index: number) => CanaryMinute): readonly CanaryMinute[] {
  return Array.from({ length: count }, (_, index) => of(index));
}

/** The judgement of some minutes, as soon as the last of them has ended, or later. */
export function judged(
  given: readonly unknown[],
  options: {
    readonly rule?: Partial<CanaryRule>;
    readonly afterMinutes?: number;
    /** How many minutes were closed by then; without it all. */
    readonly closedMinutes?: number;
    readonly hasLatencyObjective?: boolean;
  } = {},
) {
  const afterMinutes = options.afterMinutes ?? given.length;
  return judgeCanary(
    { ...RULE, ...options.rule },
    {
      startedAt: START,
      now: new Date(minuteAt(afterMinutes)),
      closedUntil: new Date(minuteAt(options.closedMinutes ?? afterMinutes)),
      hasLatencyObjective: options.hasLatencyObjective ?? true,
      minutes: given,
    },
  );
}

/** An arm of so many requests, whose errors and slow answers are drawn. */
export function drawnArm(requests: number, errorRate: number, slowRate: number, random: () => number): ArmCounts {
  return {
    requests,
    errors: drawBinomial(requests, errorRate, random),
    slow: drawBinomial(requests, slowRate, random),
    late: 0,
  };
}
