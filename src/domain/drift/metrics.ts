/** Where CloudWatch keeps what the functions measure. */
export const METRICS_NAMESPACE = 'Gatehouse';

/** What a drift check emits, each by environment and model; alarms name the same. */
export const DRIFT_METRICS = {
  /** 1 for each check that came to an end, whatever it found. */
  checks: 'DriftChecks',
  /** The largest population stability index of a stable input; none where it could not be judged. */
  index: 'StableInputIndex',
} as const;
