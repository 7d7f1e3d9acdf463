import { z } from 'zod';
import type { AutomaticRollback } from '#domain/alarm/alarm.ts';
import { TRIGGER } from '#domain/alarm/alarm.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { Person } from '#domain/control/person.ts';
import { GatehouseError } from '#domain/error.ts';
import { keyText } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { rollBack, rollbackTarget, whyNotAttributed } from '#domain/promotion/rollback.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { SeenText } from '#domain/text.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findAutomaticRollback } from '#read-model/alarms.ts';
import { findOperation, findOperationAndHead, findRecord } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { recordedVerdict } from '#use-cases/probation/recorded-verdict.ts';
import { unservedOperation } from '#use-cases/promotion/verify-serving.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

/**
 * `from` is the release that is to be rolled back, `epoch` the pointer's when it was seen to be wrong: if the pointer is in another one
 * by now, nothing is switched. `to` names an older release of the rollback history; null goes to the newest confirmed one.
 */
export const SwitchPointer = contract({
  input: z.object({
    model: z.string(),
    rollback: z.string(),
    actor: SeenText.min(1).max(200),
    reason: SeenText.min(1).max(500),
    from: Digest,
    epoch: z.int().min(1),
    to: Digest.nullable(),
  }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('switched'),
      release: Digest,
      version: z.string(),
      from: Digest,
      /** The epoch that began with the switch, and when that was. */
      epoch: z.int().min(1),
      at: z.iso.datetime(),
    }),
    Refused,
  ]),
});
type Switched = Extract<z.output<typeof SwitchPointer.output>, { status: 'switched' }>;

/** The operation by which a rollback switches the pointer: there is one per rollback. */
export function switchOperation(rollback: string): string {
  return operationName('rollback', rollback);
}

/** How often a switch is decided anew when the pointer changed between reading and writing. */
const ATTEMPTS = 5;

/**
 * Switches the pointer back and quarantines what it named, in one transaction. All that it needs is read by one call: a rollback works
 * while anything else does not.
 */
export function switchPointer(deps: Recording): Task {
  return SwitchPointer.task(async (input) => {
    const { model, rollback, actor, reason, from, epoch, to } = input;
    const operation = switchOperation(rollback);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      // In one turn, so by one call.
      const [pointer, place, automatic] = await Promise.all([
        readPointer(deps.ledger, model),
        findOperationAndHead(deps.ledger, model, operation),
        findAutomaticRollback(deps.ledger, model),
      ]);
      if (place.done !== undefined) return switched(deps.ledger, model, place.done.seq);
      const why =
        pointer &&
        (whyNotAttributed(pointer, { from, epoch }) ?? (await whyNotActor(deps.ledger, pointer, input, automatic)));
      if (why !== undefined) return refused(why);
      // Whether the target is quarantined is a condition of the transaction.
      const target = rollbackTarget(pointer, () => false, to);
      if (target.kind === 'refuse') return refused(target.refusal);
      if (pointer === undefined) throw new GatehouseError('NO_POINTER', `${model} has no pointer`, { model });
      const {
        pointer: next,
        writes,
        event,
      } = rollBack(pointer, target, { id: rollback, actor, reason, now: deps.clock.now() });
      const result = await recordChange(deps, { model, operation, writes, event }, place);
      if (result.kind === 'recorded') {
        const { release, version } = target;
        return { status: 'switched', release, version, from, epoch: next.epoch, at: next.at };
      }
      const quarantine = keyText(keys.quarantine(model, target.release));
      if (result.kind === 'refused' && result.failed.some((key) => keyText(key) === quarantine))
        return refused(refusal('release-quarantined', target.version, 'roll back to another release: --to'));
    }
    throw new GatehouseError('CHAIN_CONTENDED', `the pointer of ${model} did not come to rest; try again`, { model });
  });
}

function refused(why: Refusal): { status: 'refused'; refusal: Refusal } {
  return { status: 'refused', refusal: why };
}

/** What a rollback has done, as its record says. */
async function switched(ledger: Ledger, model: string, seq: number): Promise<Switched> {
  const record = await findRecord(ledger, model, seq);
  if (record === undefined || record.release === null)
    throw new GatehouseError('RECORD_VANISHED', `record ${seq} of ${model} was read before, and is not there`, { seq });
  const { version, from, epoch } = detailsOf(record, 'RELEASE_ROLLED_BACK');
  return { status: 'switched', release: record.release, version, from, epoch, at: record.at };
}

/**
 * Why a rollback is not by whom it says. A person may start one, and the account's trail knows who it was; the pipeline rolls back what
 * it has recorded a verdict of: while it served, or just after a promotion of its own wrote the pointer, or when an alarm was evaluated.
 */
async function whyNotActor(
  ledger: Ledger,
  { model, writtenBy }: Pointer,
  { actor, rollback, epoch }: { readonly actor: string; readonly rollback: string; readonly epoch: number },
  automatic: AutomaticRollback | undefined,
): Promise<Refusal | undefined> {
  if (Person.safeParse(actor).success) return undefined;
  if (actor === TRIGGER && automatic?.rollback === rollback && automatic.epoch === epoch) return undefined;
  const isUnserved =
    actor === 'pipeline:promotion' &&
    rollback === unservedRollback(writtenBy) &&
    (await findOperation(ledger, model, unservedOperation(writtenBy))) !== undefined;
  if (isUnserved || (await recordedVerdict(ledger, model, epoch))?.verdict === 'ROLL_BACK') return undefined;
  const found = `${actor} rolls back epoch ${epoch}, and no verdict of it is recorded`;
  return refusal('actor-verified', found, 'roll it back as a person: gatehouse rollback');
}

/** The rollback by which a promotion rolls back what it committed and is not served. */
function unservedRollback(promotion: string): string {
  return `${promotion}-unserved`;
}
