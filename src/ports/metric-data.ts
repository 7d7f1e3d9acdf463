import type { MetricQuery, Series } from '#domain/alarm/samples.ts';

/** Reads metrics. */
export interface MetricData {
  /**
   * The values of metrics by the minute, or by a longer period, of those that begin within the window.
   *
   * @param window `periodSeconds` is a multiple of 60; CloudWatch keeps minutes for 15 days, and hours for 455
   * @throws what kept any of them from being read: part of them is none
   */
  read<Name extends string>(
    queries: Readonly<Record<Name, MetricQuery>>,
    window: { readonly from: Date; readonly until: Date; readonly periodSeconds?: number },
  ): Promise<Readonly<Record<Name, Series>>>;
}
