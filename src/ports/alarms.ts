/** The alarms of an environment. */
export interface Alarms {
  /** The names of the alarms that are in alarm now, of those whose name begins with a text. */
  inAlarm(prefix: string): Promise<readonly string[]>;
}
