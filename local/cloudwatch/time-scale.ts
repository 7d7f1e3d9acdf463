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
   * The instant of the clock that a scaled one is of. Who asks for metric data knows no scale: both ends of his window are mapped as
   * instants are, and what he is answered is mapped back, so that a window since something happened (a release, a rollback) has all
   * that came after it, and nothing that came before.
   */
  unscaled(at: number): number {
    return this.#origin + (at - this.#origin) / this.factor;
  }
}
