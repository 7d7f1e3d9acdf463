import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { rollbackTarget, whyNotAttributed } from '#domain/promotion/rollback.ts';
import { Person } from '#domain/control/person.ts';
import { findOperation } from '#read-model/chain.ts';
import { isQuarantined, readPointer } from '#read-model/pointer.ts';
import { unservedOperation } from '#use-cases/promotion/verify-serving.ts';
import { SeenText } from '#domain/text.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { recordedVerdict } from '#use-cases/probation/recorded-verdict.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

/**
 * `from` is the release that is to be rolled back, `epoch` the pointer's when it was seen to be wrong: if the pointer is
 * in another one by now, nothing is switched.
 */
export const ChooseTarget = contract({
  input: z.object({
    model: z.string(),
    rollback: z.string(),
    actor: SeenText.min(1).max(200),
    from: Digest,
    epoch: z.int().min(1),
  }),
  output: z.discriminatedUnion('status', [
    z.object({
      /** `switched` where this rollback has switched the pointer before. */
      status: z.enum(['chosen', 'switched']),
      release: Digest,
      version: z.string(),
      from: Digest,
      epoch: z.int().min(1),
    }),
    Refused,
  ]),
});

/** The operation by which a rollback switches the pointer: there is one per rollback. */
export function switchOperation(rollback: string): string {
  return operationName('rollback', rollback);
}

/**
 * Why a rollback is not by whom it says. A person may start one, and the account's trail knows who it was; the pipeline
 * rolls back what it has recorded a verdict of: while it served, or just after a promotion of its own wrote the pointer.
 */
async function whyNotActor(
  ledger: Ledger,
  { model, writtenBy }: Pointer,
  { actor, rollback, epoch }: { readonly actor: string; readonly rollback: string; readonly epoch: number },
): Promise<Refusal | undefined> {
  if (Person.safeParse(actor).success) return undefined;
  const isUnserved =
    actor === 'pipeline:promotion' &&
    rollback === unservedRollback(writtenBy) &&
    (await findOperation(ledger, model, unservedOperation(writtenBy))) !== undefined;
  if (isUnserved || (await recordedVerdict(ledger, model, epoch))?.verdict === 'ROLL_BACK') return undefined;
  const found = `${actor} rolls back epoch ${epoch}, and no verdict of it is recorded`;
  return { rule: 'actor-verified', found, remedy: 'roll it back as a person: gatehouse rollback' };
}

/** The rollback by which a promotion rolls back what it committed and is not served. */
function unservedRollback(promotion: string): string {
  return `${promotion}-unserved`;
}

/** Chooses what to go back to; a rollback that had switched already before its answer got lost is recognised. */
export function chooseTarget(deps: { readonly ledger: Ledger }): Task {
  return ChooseTarget.task(async ({ model, rollback, actor, from, epoch }) => {
    const [pointer, done] = await Promise.all([
      readPointer(deps.ledger, model),
      findOperation(deps.ledger, model, switchOperation(rollback)),
    ]);
    if (done !== undefined) {
      // The two were not read at one moment: the pointer may have been read before it was switched.
      const switched = await readPointer(deps.ledger, model);
      if (switched === undefined)
        throw new GatehouseError('NO_POINTER', `${rollback} has switched a pointer that is not there`, { model });
      return { status: 'switched', release: switched.current, version: switched.version, from, epoch };
    }
    const refusal = pointer === undefined ? undefined : whyNotAttributed(pointer, { from, epoch });
    if (refusal !== undefined) return { status: 'refused', refusal };
    const unproven = pointer && (await whyNotActor(deps.ledger, pointer, { actor, rollback, epoch }));
    if (unproven !== undefined) return { status: 'refused', refusal: unproven };
    const behind = pointer?.lastConfirmed ?? null;
    const isBehindQuarantined = behind !== null && (await isQuarantined(deps.ledger, model, behind.release));
    const target = rollbackTarget(pointer, () => isBehindQuarantined);
    return target.kind === 'refuse'
      ? { status: 'refused', refusal: target.refusal }
      : { status: 'chosen', release: target.release, version: target.version, from, epoch };
  });
}
