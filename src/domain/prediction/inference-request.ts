/** An input as an endpoint's metadata say it. */
interface InputOf {
  readonly name: string;
  readonly datatype: string;
}

type Value = string | number | bigint | boolean | null;

/** What the name of an input begins with that is of the context. */
const CONTEXT = 'context.';

/** The request for the predictions of some events: an input for each column that the model takes and a row has. */
export function requestOf<V extends Value>(
  { inputs }: { readonly inputs: readonly InputOf[] },
  { events, context }: Readonly<Record<'events' | 'context', readonly Readonly<Record<string, V>>[]>>,
): { inputs: { name: string; datatype: string; shape: number[]; data: (V | null)[] }[] } {
  return {
    inputs: inputs.flatMap(({ name, datatype }) => {
      const isContext = name.startsWith(CONTEXT);
      const column = isContext ? name.slice(CONTEXT.length) : name;
      const rows = isContext ? context : events;
      // A column that no row has is left out: the model says whether it needs it.
      if (rows.length > 0 && rows.every((row) => !(column in row))) return [];
      return [{ name, datatype, shape: [rows.length], data: rows.map((row) => row[column] ?? null) }];
    }),
  };
}
