import type { Key } from '../ledger/item.ts';
import { whyNotKey } from '../limits.ts';

/** What names a published row. */
interface NamedRow {
  readonly row: string;
  readonly entity: string;
  readonly day: string;
  readonly predictions: string;
}

/** The partition in which an entity's published rows stand. */
export function rowPartition(model: string, entity: string): string {
  return `ROW#${model}#${entity}`;
}

/** The key of a row that is published for look-up: an entity's rows together, sorted by day and by the partition that they are of. */
export function rowKey(model: string, { entity, day, predictions, row }: NamedRow): Key {
  return { pk: rowPartition(model, entity), sk: `${day}#${predictions}#${row}` };
}

/** Why a row cannot be published for look-up, or undefined: it has no entity, or its entity or id is longer than a key may be. */
export function whyNotPublishable(
  model: string,
  row: Omit<NamedRow, 'entity'> & { readonly entity: string | null },
): string | undefined {
  const { entity } = row;
  if (entity === null || entity === '') return `row ${row.row} has no entity`;
  return whyNotKey(rowKey(model, { ...row, entity }));
}
