/** Where CloudWatch keeps what the functions measure. */
export const METRICS_NAMESPACE = 'Gatehouse';

/** What alarms on drift watch, each by environment and model. */
export const DRIFT_METRICS = {
  /** The largest population stability index of a stable input, by each check; none where it could not be judged. */
  index: 'StableInputIndex',
  /** Hours since a check came to its end, emitted each hour by what is no part of a check. */
  unchecked: 'HoursWithoutDriftCheck',
} as const;

/** A check is due each day; one may fail, or wait for its retries. */
export const UNCHECKED_HOURS = 48;
