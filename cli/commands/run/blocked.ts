import { refusalText } from '#domain/refusal/refusal.ts';
import type { Run } from '#read-model/runs.ts';
import { RefusedError } from '../../refusal.ts';
import type { Section } from '../../report.ts';

/** The days that a batch run could not build or score, with their causes; nothing where there are none. */
export function blockedSection(run: Run | undefined): readonly Section[] {
  const { blocked = [], blockedDays = 0 } = run ?? {};
  if (blocked.length === 0) return [];
  const lines = blocked.map((each) => `  ${each.day}: ${refusalText(each)}`);
  const more = blockedDays - blocked.length;
  return [{ title: 'blocked days', lines: more > 0 ? [...lines, `  and ${more} more`] : lines }];
}

/** Ends the command where days were due and the run could publish none of them. */
export function refuseBlocked(model: string, environment: string, run: Run | undefined): void {
  const [first] = run?.blocked ?? [];
  if (run?.status !== 'blocked' || first === undefined) return;
  throw new RefusedError({
    rule: first.rule,
    found: `${first.found} (${first.day}; ${run.blockedDays ?? 1} days blocked)`,
    remedy: `${first.remedy}; see: gatehouse prediction plan ${model} --env ${environment}`,
  });
}
