import type { Environment } from '#domain/environment/environment.ts';
import type { OpenRefusal } from '#domain/data/open-refusal.ts';

import type { ReadableLedger } from '#ports/ledger.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { type TableSection, shortTime } from '../../report.ts';

/** A refusal that stands, and the environment that refused. */
export type RefusalThere = OpenRefusal & { readonly environment: Environment };

/** The refusals that stand against a model's days in an environment. */
export async function refusalsThere(
  { environment, ledger }: { readonly environment: Environment; readonly ledger: ReadableLedger },
  model: string,
): Promise<readonly RefusalThere[]> {
  return (await readOpenRefusals(ledger, model)).map((refusal) => ({ environment, ...refusal }));
}

/** Refused days as a table, those of one cause in one row; nothing where there are none. */
export function refusalSections(title: string, refusals: readonly RefusalThere[]): readonly TableSection[] {
  if (refusals.length === 0) return [];
  const causes = Map.groupBy(
    refusals,
    ({ environment, kind, rule, found }) => `${environment} ${kind} ${rule} ${found}`,
  );
  return [
    {
      title,
      columns: ['environment', 'what', 'days', 'since', 'cause', 'what to do'],
      rows: [...causes.values()].flatMap((same) => {
        const [first] = same;
        if (first === undefined) return [];
        const { environment, kind, rule, found, remedy, since } = first;
        return [
          [environment, kind, daysText(same.map(({ day }) => day)), shortTime(since), `${rule}: ${found}`, remedy],
        ];
      }),
    },
  ];
}

/** Days in few words: the first, the last, and how many there are. */
export function daysText(days: readonly string[]): string {
  const sorted = days.toSorted();
  const [first = '-'] = sorted;
  return sorted.length < 2 ? first : `${first} to ${sorted.at(-1)} (${sorted.length})`;
}
