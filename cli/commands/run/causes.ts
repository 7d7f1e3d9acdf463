import { z } from 'zod';
import type { AuditRecord } from '#domain/audit/chain.ts';

/** The records of a run and of the executions that its own records name: a machine that it started says why it failed. */
export function recordsOf(chain: readonly AuditRecord[], name: string): readonly AuditRecord[] {
  const said = chain
    .filter(({ details }) => details['run'] === name)
    .map(({ details }) => JSON.stringify(details))
    .join();
  return chain.filter(({ details: { run: of } }) => of === name || (typeof of === 'string' && said.includes(of)));
}

const Cause = z.union([
  z.object({ reasons: z.array(z.string()).min(1) }).transform(({ reasons }) => reasons),
  z.object({ state: z.string(), error: z.string() }).transform(({ state, error }) => [`${state}: ${error}`]),
]);

/** What a record says of why something was refused or failed; nothing where it says of no such thing. */
export function causeOf({ seq, code, details }: AuditRecord) {
  const said = Cause.safeParse(details);
  return said.success ? [{ seq, code, said: said.data }] : [];
}

/** Why a run ended as it did, each reason once, at full length. */
export function reasonsOf(chain: readonly AuditRecord[], name: string): readonly string[] {
  return [
    ...new Set(
      recordsOf(chain, name)
        .flatMap(causeOf)
        .flatMap(({ said }) => said),
    ),
  ];
}
