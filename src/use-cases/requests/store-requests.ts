import type { FailedEntry, FailedRequest, RequestEntry } from '#domain/prediction/request-log.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { each, type Fault, throwFaults } from '#use-cases/each.ts';

/** A line of a function's log, as CloudWatch delivers it. */
export interface DeliveredLine {
  readonly id: string;
  readonly message: string;
}

/**
 * Puts a delivery of an endpoint's log into the lake: what was answered, and what nobody answered. A line that cannot be read keeps no other one from it; the delivery then fails,
 * so that it comes again and at last lies in the dead-letter queue.
 * @throws GatehouseError `ITEMS_FAILED`
 */
export async function storeRequests(
  deps: {
    readonly store: RequestStore;
    /** What a line holds; undefined where it is none of the request log's. */
    readonly readLine: (message: string) => Promise<RequestEntry | FailedEntry | undefined>;
  },
  lines: readonly DeliveredLine[],
): Promise<{ readonly stored: number; readonly failed: number; readonly others: number }> {
  const faults: Fault[] = [];
  const entries: RequestEntry[] = [];
  const failed: FailedRequest[] = [];
  await each(
    faults,
    lines,
    ({ id }) => ({ item: `log event ${id}` }),
    async ({ message }) => {
      const entry = await deps.readLine(message);
      if (entry === undefined) return;
      if ('failed' in entry) failed.push(entry.failed);
      else entries.push(entry);
    },
  );
  const kinds = [
    { item: 'answered requests', add: () => deps.store.add(entries) },
    { item: 'failed requests', add: () => deps.store.addFailed(failed) },
  ];
  await each(
    faults,
    kinds,
    ({ item }) => ({ item: `the lake's ${item}` }),
    ({ add }) => add(),
  );
  const stored = { stored: entries.length, failed: failed.length };
  throwFaults(faults, stored);
  return { ...stored, others: lines.length - entries.length - failed.length };
}
