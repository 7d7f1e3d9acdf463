import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { keyText } from '#domain/ledger/item.ts';
import { confirmRelease as decide } from '#domain/promotion/confirm.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import { Person } from '#domain/control/person.ts';
import { SeenText } from '#domain/text.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findOperation } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { recordedVerdict } from '#use-cases/probation/recorded-verdict.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

export const ConfirmRelease = contract({
  input: z.object({
    model: z.string(),
    confirmation: z.string().min(1),
    actor: SeenText.min(1).max(200),
    reason: SeenText.min(1).max(500),
    evidence: Digest.nullable(),
    release: Digest,
    epoch: z.int().min(1),
  }),
  output: z.discriminatedUnion('status', [z.object({ status: z.literal('confirmed') }), Refused]),
});

/** Why a confirmation is not by whom it says: the pipeline confirms what it has recorded a verdict of, and nothing else. */
async function whyNotActor(
  ledger: Ledger,
  model: string,
  { actor, evidence, epoch }: Pick<z.output<typeof ConfirmRelease.input>, 'actor' | 'evidence' | 'epoch'>,
): Promise<Refusal | undefined> {
  if (Person.safeParse(actor).success) return undefined;
  const judged = await recordedVerdict(ledger, model, epoch);
  if (judged?.verdict === 'CONFIRM' && judged.evidence === evidence) return undefined;
  const found = `${actor} confirms epoch ${epoch}, and the recorded verdict of it is ${judged?.verdict ?? 'none'}`;
  return { rule: 'actor-verified', found, remedy: 'confirm it as a person: gatehouse confirm' };
}

/** Confirms the release that is on probation; who confirms it a second time changes nothing. */
export function confirmRelease(deps: Recording): Task {
  return ConfirmRelease.task(async ({ model, confirmation: id, ...given }) => {
    const operation = operationName('confirm', id);
    const [pointer, done] = await Promise.all([
      readPointer(deps.ledger, model),
      findOperation(deps.ledger, model, operation),
    ]);
    if (done !== undefined) return { status: 'confirmed' };
    const unproven = await whyNotActor(deps.ledger, model, given);
    if (unproven !== undefined) return { status: 'refused', refusal: unproven };
    const decision = decide(pointer, { id, ...given });
    if (decision.kind === 'refuse') return { status: 'refused', refusal: decision.refusal };
    if (decision.kind === 'confirmed') return { status: 'confirmed' };
    const { writes, event } = decision;
    const result = await recordChange(deps, { model, operation, writes, event });
    if (result.kind !== 'refused') return { status: 'confirmed' };
    return {
      status: 'refused',
      refusal: refusal('probation-conditions', `changed in the meantime: ${result.failed.map(keyText).join(', ')}`),
    };
  });
}
