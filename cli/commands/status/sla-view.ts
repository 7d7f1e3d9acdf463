import { percent } from '#domain/text.ts';
import { type Section, shortTime } from '../../report.ts';
import type { EnvironmentSla } from './sla.ts';

/** A table for each environment with an objective; elsewhere a line that says why there is none. */
export function slaSections(found: {
  readonly model: string;
  readonly environments: readonly EnvironmentSla[];
}): readonly Section[] {
  return found.environments.map((each) => sectionOf(found.model, each));
}

function sectionOf(
  model: string,
  { environment, version, objective, reason, until, windows }: EnvironmentSla,
): Section {
  const what = `${model}${version === null ? '' : `@${version}`} in ${environment}`;
  if (objective === null || reason !== '') return { lines: [`${what}: no service level of answers: ${reason}`] };
  return {
    title: `${what}: ${percent(objective.share, 2)} of requests within ${objective.milliseconds} ms, known until ${shortTime(until)}`,
    columns: ['window', 'answered', 'slow', 'failed', 'bad', 'burn rate', 'error budget'],
    rows: windows.map((found) => {
      switch (found.kind) {
        case 'no-requests':
          return [found.window, '0', '-', '-', '-', '-', 'no requests'];
        case 'unknown':
          return [found.window, '-', '-', '-', '-', 'NOT KNOWN', found.why];
        case 'measured':
          return [
            found.window,
            String(found.answered),
            String(found.slow),
            String(found.failed),
            percent(found.badShare, 2),
            found.burn.toFixed(2),
            `${found.budget.spent} of ${found.budget.allowed.toFixed(1)}${found.burn > 1 ? ', OVERSPENT' : ''}`,
          ];
      }
    }),
  };
}
