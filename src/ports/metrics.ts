/** Numbers that alarms watch. */
export interface Metrics {
  /** @param values by metric name; what is not known is left out, so that an alarm can miss it */
  emit(dimensions: Readonly<Record<string, string>>, values: Readonly<Record<string, number>>): void;
}
