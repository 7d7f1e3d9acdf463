import { type FailedCondition } from '#domain/rollback-readiness/conditions.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { type ReadinessNow, readinessNow } from '#domain/rollback-readiness/readiness.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readReadiness } from '#read-model/readiness.ts';
import { ago, shortTime } from '../../report.ts';

/** Whether a rollback would work in an environment, as far as its newest check says. */
export async function readinessThere(
  ledger: ReadableLedger,
  model: string,
  pointer: Pointer | undefined,
  now: Date,
): Promise<ReadinessNow> {
  return readinessNow(await readReadiness(ledger, model), pointer, now);
}

/** One line, or one for each condition that does not hold. */
export function readinessLines(environment: string, readiness: ReadinessNow, now: Date): readonly string[] {
  const begin = `${environment} rollback ready:`;
  switch (readiness.kind) {
    case 'nothing-served':
      return [];
    case 'first-release':
      return [`${begin} nothing to go back to, it is the first release here`];
    case 'ready':
      return [`${begin} yes (to ${readiness.version}, checked ${ago(readiness.checkedAt, now)})`];
    case 'not-ready':
      return [
        `${begin} NO${readiness.version === null ? '' : ` (to ${readiness.version})`}, checked ${ago(readiness.checkedAt, now)}`,
        ...readiness.failed.map((each) => `  ${failureText(each)}`),
      ];
    case 'not-checked':
      return [
        `${begin} NOT KNOWN, ${readiness.since === null ? 'never checked' : `not checked since ${shortTime(readiness.since)}`}: ${readiness.why}`,
      ];
  }
}

function failureText({ condition, found, remedy }: FailedCondition): string {
  return `${condition}: ${found}; ${remedy}`;
}
