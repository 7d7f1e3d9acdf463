import type { OnlineFeatureEngine } from '#ports/online-features.ts';

/**
 * An engine without SQL: the features of an event are its own numbers by the names of the features, and for those it does not
 * have, how many rows of context and days of aggregates there are, in turn. `opened` says what was opened for which SQL and days,
 * and `inUse` how much of it is not closed.
 */
export function memoryOnlineFeatures(): OnlineFeatureEngine & {
  readonly opened: { readonly sql: string; readonly days: readonly string[] }[];
  inUse(): number;
} {
  const opened: { sql: string; days: readonly string[] }[] = [];
  const open = new Set<object>();
  return {
    opened,
    inUse: () => open.size,
    async open({ definition, sql, daily }) {
      let days = daily.map(({ day }) => day);
      opened.push({ sql: sql.features, days });
      const engine = {
        get until() {
          return days.at(-1) ?? null;
        },
        async featuresOf({
          events,
          context,
        }: Parameters<Awaited<ReturnType<OnlineFeatureEngine['open']>>['featuresOf']>[0]) {
          if (!open.has(engine)) throw new Error('the engine was closed while a request used it');
          const counts = [context.length, days.length];
          const rows = events.map((event) =>
            definition.features.columns.map((column, index) => {
              const value = event[column];
              return typeof value === 'number' ? value : (counts[index % counts.length] ?? null);
            }),
          );
          return { kind: 'features' as const, rows };
        },
        async load(files: typeof daily) {
          days = files.map(({ day }) => day);
        },
        async close() {
          open.delete(engine);
        },
      };
      open.add(engine);
      return engine;
    },
  };
}
