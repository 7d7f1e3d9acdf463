import type { ModelDefinition } from '../model/definition.ts';

/** An event of which only its time and its values matter: the values are compared as they are. */
interface TimedEvent<Row> {
  readonly row: Row;
  /** Microseconds since 1970, in UTC. */
  readonly at: bigint;
}

const MINUTE = 60_000_000n;

/**
 * The events that a request must bring beside its own, as its model declares them: those whose `column` is the value that the
 * request's event has in one of `of`, from `withinMinutes` before it until its own moment. What happens at the same moment is part
 * of them, as of every window of SQL that ends with the current row.
 */
export function contextOf<Row extends Readonly<Record<string, unknown>>>(
  { online }: Pick<ModelDefinition, 'online'>,
  own: TimedEvent<Row>,
  others: readonly TimedEvent<Row>[],
): Row[] {
  const rules = (online?.context ?? []).map(({ column, of, withinMinutes }) => ({
    column,
    since: own.at - BigInt(withinMinutes) * MINUTE,
    // SQL joins no null to another.
    values: new Set(of.map((each) => own.row[each] as Row[string]).filter((value) => !isNull(value))),
  }));
  return others.flatMap(({ row, at }) => {
    const isContext =
      row !== own.row &&
      at <= own.at &&
      rules.some(({ column, since, values }) => at >= since && values.has(row[column] as Row[string]));
    return isContext ? [row] : [];
  });
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}
