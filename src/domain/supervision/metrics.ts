/** What the supervisor measures, by environment. */
export const SUPERVISION_METRICS = {
  /** 1 for each round that came to its end. */
  supervised: 'Supervised',
  /** Schedules whose newest expected run did not come. */
  missed: 'MissedSchedules',
} as const;
