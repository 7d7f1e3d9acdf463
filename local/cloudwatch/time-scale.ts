/**
 * How much faster than its clock a cloud lives, for tests of what takes days: the instant t, of a datapoint or of an evaluation,
 * is taken for t0 + k (t - t0), where t0 is when the process started. Values, periods and evaluation periods stay as deployed,
 * so that an alarm of three periods of a minute is through in 180 / k seconds.
 */
export class TimeScale {
  readonly factor: number;
  readonly #origin: number;

  constructor(factor: number, origin: number) {
    if (!(Number.isFinite(factor) && factor > 0))
      throw new Error(`the time scale is ${factor}; it must be a positive number`);
    this.factor = factor;
    this.#origin = origin;
  }

  /** The scaled instant of an instant of the clock. */
  scaled(at: number): number {
    return this.#origin + this.factor * (at - this.#origin);
  }

  /**
   * The milliseconds between the clock and the scaled time at an instant. Who asks for metric data at `now` reads his own clock
   * and knows no scale: by `now - d` he means "a deployed duration d ago" ("the last ten minutes", after he waited for ten
   * minutes that a test made shorter). So his instants are moved by this offset, as one: his window ends where the scaled time
   * is, and keeps its length; the answer's timestamps are moved back, and lie in the window that he asked for. What he may not do
   * is to take an instant that he noted long before for the beginning of a window: the clock's length of it is shorter than what
   * went by in scaled time. With a factor of 1 the offset is 0.
   */
  offset(now: number): number {
    return this.scaled(now) - now;
  }
}
