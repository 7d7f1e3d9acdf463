// What a request waits for its features, beside the same SQL as it is written.
import { openOnline } from '#adapters/duckdb/online.ts';
import type { OnlineFeatures } from '#ports/online-features.ts';
import { type Figure, figure, milliseconds, quantile } from '../_report.ts';
import type { Asked, EndpointWorld } from './world.ts';

const WARM_UP = 20;

/** Milliseconds of each request, less the first. */
async function times(online: OnlineFeatures, requests: readonly Asked[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const request of requests)
    found.push(
      await milliseconds(async () => {
        const made = await online.featuresOf(request);
        if (made.kind === 'refused') throw new Error(made.refusal.found);
      }),
    );
  return found.slice(Math.min(WARM_UP, requests.length / 4));
}

/** Figures of the feature step by itself. */
export async function featureFigures({
  definition,
  sql,
  daily,
  one,
  hundred,
  whole,
}: EndpointWorld): Promise<Figure[]> {
  const recipe = { definition, sql, daily };
  const folded = await openOnline(recipe);
  const written = await openOnline(recipe, false);
  try {
    const both = async (what: string, asked: readonly Asked[], most?: number): Promise<Figure[]> => {
      const ours = await times(folded, asked);
      const anchor = await times(written, asked.slice(0, 120));
      return [0.5, 0.99].map((share) =>
        figure(
          `features of ${what}, p${share * 100}`,
          'ms',
          quantile(ours, share),
          ['SQL as it is written', quantile(anchor, share)],
          most === undefined || share > 0.5 ? {} : { oursAtMost: most },
        ),
      );
    };
    return [
      ...(await both('one event with its context', one, 5)),
      ...(await both('a hundred events with theirs', hundred, 10)),
      ...(await both('one event with its whole day', whole)),
    ];
  } finally {
    await folded.close();
    await written.close();
  }
}

/** The features of each event that is asked about, by its id. */
export async function preparedOf(
  { definition, sql, daily }: EndpointWorld,
  requests: readonly Asked[],
): Promise<Record<string, readonly (number | null)[]>> {
  const online = await openOnline({ definition, sql, daily });
  try {
    const prepared: Record<string, readonly (number | null)[]> = {};
    for (const request of requests) {
      const made = await online.featuresOf(request);
      if (made.kind === 'refused') throw new Error(made.refusal.found);
      for (const [index, row] of made.rows.entries())
        prepared[String(request.events[index]?.[definition.events.id])] = row;
    }
    return prepared;
  } finally {
    await online.close();
  }
}
