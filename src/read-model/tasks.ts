import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';

/** The item that keeps the token of an execution that waits, whole: whoever answers it writes it back. */
export async function findTask(ledger: ReadableLedger, kind: string, id: string): Promise<Item | undefined> {
  return ledger.get(keys.task(kind, id));
}

/** The items of all executions that wait, or waited, for a kind of work. */
export async function readTasks(ledger: ReadableLedger, kind: string): Promise<readonly Item[]> {
  return ledger.query(keys.tasks(kind));
}
