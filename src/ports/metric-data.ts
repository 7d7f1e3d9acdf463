import type { MetricQuery, Series } from '#domain/alarm/samples.ts';

/** Reads metrics. */
export interface MetricData {
  /**
   * The values of metrics by the minute, of those minutes that begin within the window.
   *
   * @throws what kept any of them from being read: part of them is none
   */
  read<Name extends string>(
    queries: Readonly<Record<Name, MetricQuery>>,
    window: { readonly from: Date; readonly until: Date },
  ): Promise<Readonly<Record<Name, Series>>>;
}
