/** The wall clock: for expiry, retention and logs. Business time is always an `asOf` that is handed in. */
export interface Clock {
  now(): Date;
}
