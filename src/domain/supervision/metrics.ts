/** What the supervisor measures, by environment. */
export const SUPERVISION_METRICS = {
  /** 1 for each round that came to its end. */
  supervised: 'Supervised',
  /** Schedules whose newest expected run did not come. */
  missed: 'MissedSchedules',
  /** Messages in all dead-letter queues. */
  deadLetters: 'DeadLetters',
} as const;

/** What the supervisor measures of each model: for the dashboard, and of data by `kind` besides. */
export const MODEL_METRICS = {
  /** Hours since the served release was promoted. */
  releaseAge: 'ReleaseAgeHours',
  openPromotions: 'OpenPromotions',
  openIncidents: 'OpenIncidents',
  /** Hours since the newest day of a source was first admitted. */
  dataAge: 'DataAgeHours',
} as const;
