import { GatehouseError } from '#domain/error.ts';

/** What an item is called, by a name that is the same each time it is worked on, and whose chain records its faults. */
export interface Named {
  readonly item: string;
  readonly model?: string | undefined;
}

/** What an item's work threw. */
export interface Fault extends Named {
  readonly error: unknown;
  /** What it is kept as, where the code of the error does not tell it from the next one. */
  readonly code?: string;
  /** Milliseconds that it must last before it is alerted, where they are more than for others. */
  readonly lastsMs?: number;
}

/** Works on items one after the other. The fault of one never stops the others: it is added to the faults. */
export async function each<T>(
  faults: Fault[],
  items: Iterable<T>,
  nameOf: (item: T) => Named,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      faults.push({ ...nameOf(item), error });
    }
  }
}

/** Ends the work on items when all are done: visibly, if one of them failed. @throws GatehouseError `ITEMS_FAILED` */
export function throwFaults(faults: readonly Fault[], done: Readonly<Record<string, unknown>> = {}): void {
  if (faults.length === 0) return;
  throw new GatehouseError(
    'ITEMS_FAILED',
    `${faults.length} failed, the others are done: ${faults.map(({ item, error }) => `${item}: ${messageOf(error)}`).join('; ')}`.slice(
      0,
      4000,
    ),
    { items: faults.map(({ item }) => item), ...done },
    new AggregateError(faults.map(({ error }) => error)),
  );
}

/** What a fault says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What kind of fault it is: the same one may say another time or number. */
export function codeOf(error: unknown): string {
  if (error instanceof GatehouseError) return error.code;
  return error instanceof Error ? error.name : 'Error';
}
