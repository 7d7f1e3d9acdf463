/** The tighter of two numbers is the model's; a looser one is written down. */
export type Bound = (path: string, base: number, mine: number | undefined) => number;
export type Allowed = <T, M, O extends object>(
  path: string,
  base: T | undefined,
  mine: M | null | undefined,
  narrow: (base: T, mine: T | M) => O,
) => Partial<O>;

/** What compares a value of a model's with the floor's, and where what is looser is written down. */
export interface Ratchet {
  readonly larger: Bound;
  readonly smaller: Bound;
  readonly allowed: Allowed;
  readonly loosened: string[];
}
