import { truncated } from '#domain/audit/truncated.ts';
import { equals, ABSENT } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { findFault, type KeptFault, listFaults } from '#read-model/faults.ts';
import { codeOf, each, type Fault, messageOf, type Named } from '#use-cases/each.ts';
import { operationName, type Recording, recordChange } from './record-change.ts';
import { writeUnaudited } from './write-unaudited.ts';

/** How long a fault must last before it is alerted: what passes by itself, such as throttling, is ignored. */
const PERSISTS_MS = 4 * 60_000;

/**
 * Keeps which items of a function have faults after a round over all of them. Of a fault that lasts the chain of the
 * item's model tells people once, and again when it has become another, or had gone and came back.
 */
export async function recordFaults(deps: Recording, by: string, faults: readonly Fault[]): Promise<void> {
  const known = await listFaults(deps.ledger, by);
  const failed: Fault[] = [];
  const named = ({ item, model }: Named): Named => ({ item: `the record of ${item}`, model });
  await each(failed, faults, named, (fault) => keepFault(deps, by, fault, fault.error, known.get(fault.item)?.read()));
  // What stands below a name that failed was not worked on: nobody knows whether its fault is gone.
  const gone = [...known].filter(([name]) => !faults.some(({ item }) => name.startsWith(item)));
  await each(
    failed,
    gone,
    ([item]) => named({ item }),
    ([item, { read }]) => keepFault(deps, by, { item }, undefined, read()),
  );
  if (failed.length > 0)
    throw new AggregateError(
      failed.map(({ error }) => error),
      messageOf(failed[0]?.error),
    );
}

/** Work whose fault is kept under the name of what it is about, and thrown on. */
export function keepingFaults<T>(
  deps: Recording,
  by: string,
  nameOf: (about: T) => Named,
  work: (about: T) => Promise<object>,
): (about: T) => Promise<object> {
  return async (about) => {
    const named = nameOf(about);
    const keep = async (error: unknown): Promise<void> =>
      keepFault(deps, by, named, error, await findFault(deps.ledger, by, named.item));
    try {
      const result = await work(about);
      await keep(undefined);
      return result;
    } catch (error) {
      await keep(error);
      throw error;
    }
  };
}

async function keepFault(
  deps: Recording,
  by: string,
  { item, model, code: own, lastsMs = PERSISTS_MS }: Named & Pick<Fault, 'code' | 'lastsMs'>,
  error: unknown,
  known: KeptFault | undefined,
): Promise<void> {
  const key = keys.fault(by, item);
  const of = model ?? known?.model;
  const code = error === undefined ? null : (own ?? codeOf(error));
  if (of === undefined || (code === null && (known?.code ?? null) === null)) return;
  const now = deps.clock.now();
  const condition = known === undefined ? ABSENT : equals({ code: known.code, since: known.since });
  if (code === null || known?.code !== code) {
    const next = { ...key, model: of, code, since: now.toISOString(), isTold: false };
    // Whoever was quicker saw the same item later than this.
    await writeUnaudited(
      deps.ledger,
      [{ kind: 'put', item: next, condition }],
      operationName('f', by, item, JSON.stringify([next, condition])),
    );
    return;
  }
  if (known.isTold || now.getTime() - Date.parse(known.since) < lastsMs) return;
  await recordChange(deps, {
    model: known.model,
    operation: operationName('fault', by, item, code, known.since),
    writes: [{ kind: 'put', item: { ...key, ...known, isTold: true }, condition }],
    event: {
      code: 'ITEM_FAILED',
      actor: `pipeline:${by}`,
      release: null,
      details: {
        function: by,
        item: truncated([item], 1, 400).join(''),
        error: truncated([code], 1, 200).join(''),
        found: truncated([messageOf(error)], 1, 1200).join(''),
        since: known.since,
      },
    },
  });
}
