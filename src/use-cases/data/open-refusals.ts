import type { AuditEvent } from '#domain/audit/events.ts';
import { ranges } from '#domain/data/feature-work.ts';
import type { OpenRefusal } from '#domain/data/open-refusal.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { ABSENT, equals, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { findRefusals } from '#read-model/refusals.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

/** Refusals per transaction: with the audit record this stays below DynamoDB's 100 actions. */
const TOGETHER = 80;

/**
 * Records that days are refused for one cause. A day whose standing refusal has that cause is left out, so that a cause is
 * recorded and alerted once per day, however often it is found.
 */
export async function recordRefusals(
  deps: Recording,
  about: Pick<OpenRefusal, 'model' | 'kind'> & { readonly days: readonly string[] },
  refusal: Refusal,
  eventOf: (days: readonly string[]) => AuditEvent,
): Promise<void> {
  const { model, kind } = about;
  const { rule, found, remedy } = refusal;
  const known = await findRefusals(deps.ledger, model, kind, about.days);
  const since = deps.clock.now().toISOString();
  const fresh = about.days.flatMap((day, index) => {
    const before = known[index];
    if (before?.resolvedAt === null && before.rule === rule && before.found === found) return [];
    const next: OpenRefusal = { model, kind, day, rule, found, remedy, since, resolvedAt: null };
    const write: Write = {
      kind: 'put',
      item: { ...keys.refusal(model, kind, day), ...next },
      condition: before === undefined ? ABSENT : equals({ since: before.since, resolvedAt: before.resolvedAt }),
    };
    return [{ day, write, name: `${day} after ${before?.since} ${before?.resolvedAt}` }];
  });
  for (const { from, to } of ranges(fresh.length, TOGETHER)) {
    const some = fresh.slice(from, to);
    // Where a condition fails, another run has just recorded the same days.
    await recordChange(deps, {
      model,
      operation: operationName('refusal', kind, rule, found, ...some.map(({ name }) => name)),
      writes: some.map(({ write }) => write),
      event: eventOf(some.map(({ day }) => day)),
    });
  }
}

/** Marks refusals as resolved: their partition is admitted, or their day published. */
export async function resolveRefusals(deps: Recording, refusals: readonly OpenRefusal[]): Promise<void> {
  const resolvedAt = deps.clock.now().toISOString();
  for (const refusal of refusals) {
    const { model, kind, day, since } = refusal;
    const item = { ...keys.refusal(model, kind, day), ...refusal, resolvedAt };
    const condition = equals({ since, resolvedAt: null });
    await writeUnaudited(
      deps.ledger,
      [{ kind: 'put', item, condition }],
      operationName('r', kind, day, since, resolvedAt, model),
    );
  }
}
