import { GatehouseError } from '../error.ts';
import type { FaultCode } from '../faults.ts';
import type { RuleId } from '../refusal/refusal.ts';

/**
 * The rules by which an endpoint answers nothing because of something beside the release: late aggregates, a ledger or a store that
 * cannot be reached. Another release would fail alike, so that they page people and never roll back.
 */
const DEPENDENCY_RULES: ReadonlySet<string> = new Set<RuleId>([
  'pointer-read',
  'champion-promoted',
  'release-read',
  'aggregates-load',
  'aggregates-published',
  'aggregates-recent',
  'aggregates-complete',
  'answer-logged',
]);

/** Whether a refusal says that something beside the release is why. */
export function isOfDependency(rule: string): boolean {
  return DEPENDENCY_RULES.has(rule);
}

/** What Node calls a peer that cannot be reached. */
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'TimeoutError']);

/** Faults of ours that say so of a dependency. */
const DEPENDENCY_FAULTS: ReadonlySet<string> = new Set<FaultCode>([
  'DEPENDENCY_OPEN',
  'DEPENDENCY_SILENT',
  'LEDGER_UNANSWERED',
]);

/** Whether something that was thrown is of a service or of the way to it: every error of the AWS SDK says whose fault it is. */
export function isDependencyFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof GatehouseError) return DEPENDENCY_FAULTS.has(error.code);
  if ('$fault' in error || '$metadata' in error || NETWORK.has(error.name)) return true;
  return 'code' in error && typeof error.code === 'string' && NETWORK.has(error.code);
}
