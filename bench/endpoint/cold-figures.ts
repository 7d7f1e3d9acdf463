// A cold start of an endpoint by part, in fresh processes: the code of its bundle, and the first answer.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeFigures } from '../_functions.ts';
import { type Figure, figure, quantile } from '../_report.ts';
import { type Parts, parseParts } from './cold.ts';
import type { EndpointWorld } from './world.ts';

/** Figures of five fresh processes, the median of each part. */
export async function coldFigures({ served }: EndpointWorld, body: string): Promise<Figure[]> {
  const order = join(served.folder, 'cold.json');
  writeFileSync(order, JSON.stringify({ served, body }));
  const runs = Array.from({ length: 5 }, (): Parts => {
    const printed = execFileSync(process.execPath, [join(import.meta.dirname, 'cold.ts'), order], { encoding: 'utf8' });
    return parseParts(printed);
  });
  const median = (part: string, of: 'milliseconds' | 'rss'): number =>
    quantile(
      runs.flatMap((parts) => parts.filter((each) => each.part === part).map((each) => each[of])),
      0.5,
    );
  const names = (runs[0] ?? []).map(({ part }) => part);
  const whole = median('all of the first answer', 'milliseconds');
  return [
    ...codeFigures(['endpoint']),
    ...names
      .slice(1)
      .map((part) =>
        figure(`cold start: ${part}`, 'ms', median(part, 'milliseconds'), ['all of the first answer', whole], {}),
      ),
    ...names.map((part) =>
      figure(`memory after: ${part}`, 'MB', median(part, 'rss'), ['what Lambda gives it', 2048], {}),
    ),
  ];
}
