import { ABSENT, equals, type Item, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Fence } from '#domain/prediction/manifest.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readFence } from '#read-model/predictions.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

/** Replaces the fence that was read; false when somebody else was quicker. */
export async function replaceFence(
  ledger: Ledger,
  model: string,
  previous: Fence | undefined,
  next: Fence,
): Promise<boolean> {
  const item: Item = { ...keys.fence(model), ...next };
  const condition =
    previous === undefined
      ? ABSENT
      : equals({ fence: previous.fence, requested: previous.requested, running: previous.running });
  const token = operationName('f', model, JSON.stringify(previous ?? null), JSON.stringify(next));
  const result = await writeUnaudited(ledger, [{ kind: 'put', item, condition }], token);
  return result.kind === 'committed';
}

/** Changes the fence from whatever it is. */
export async function changeFence(ledger: Ledger, model: string, change: (fence: Fence) => Fence): Promise<Fence> {
  for (;;) {
    const previous = await readFence(ledger, model);
    const before = previous ?? { fence: 0, requested: 0, running: null, startedAt: null };
    const next = change(before);
    if (next === before || (await replaceFence(ledger, model, previous, next))) return next;
  }
}

/** Gives the fence back when a run has ended, so that the next request starts a run instead of leaving word. */
export async function leaveFence(ledger: Ledger, model: string, run: string): Promise<void> {
  await changeFence(ledger, model, (before) =>
    before.running === run ? { ...before, running: null, startedAt: null } : before,
  );
}

/** The check that a run still is the newest one: an older writer changes nothing. */
export function holdsFence(model: string, fence: number): Write {
  return { kind: 'check', key: keys.fence(model), condition: equals({ fence }) };
}
