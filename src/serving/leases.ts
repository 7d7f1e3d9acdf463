/** What is in use by one request: it is not closed before the request has ended. */
export interface Lease<T> {
  readonly value: T;
  end(): Promise<void>;
}

/** Something that is loaded, used by requests at the same time, and closed when nobody uses it any more. */
export interface Loaded<T> {
  readonly value: T;
  /** Undefined where it was closed meanwhile. */
  lease(): Lease<T> | undefined;
  /** Closes it, or has the last request that uses it close it: nothing is left to run by itself. */
  retire(): Promise<void>;
}

/** Counts who uses something. */
export function loaded<T>(value: T, close: () => Promise<void>): Loaded<T> {
  let [users, isRetired, isClosed] = [0, false, false];
  const closeIfUnused = async (): Promise<void> => {
    if (users > 0 || !isRetired || isClosed) return;
    isClosed = true;
    await close();
  };
  return {
    value,
    lease() {
      if (isClosed) return undefined;
      users += 1;
      let isOver = false;
      return {
        value,
        async end() {
          if (isOver) return;
          isOver = true;
          users -= 1;
          await closeIfUnused();
        },
      };
    },
    async retire() {
      isRetired = true;
      await closeIfUnused();
    },
  };
}
