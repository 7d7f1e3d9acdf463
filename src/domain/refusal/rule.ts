/**
 * How HTTP answers a refusal: not signed in, not allowed, not there, in conflict with what is, or not valid by itself; by an endpoint
 * also no request of its protocol, another method, too large, failed, or not answerable now.
 */
export type Status = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 500 | 503;

/** What is known of a rule wherever it refuses. */
export interface Rule {
  /** What must hold, in one sentence. */
  readonly meaning: string;
  readonly status: Status;
  /** The section of docs/runbook.md that helps, where one does. */
  readonly runbook?: string | undefined;
  /** What to do, where it is always the same; elsewhere the place that refuses says it. */
  readonly remedy?: string | undefined;
}

interface RuleMaker {
  (status: Status, meaning: string): Rule & { readonly remedy?: undefined };
  (status: Status, meaning: string, remedy: string): Rule & { readonly remedy: string };
}

/** Makes the rules that one section of the runbook explains, or none does. */
export function rulesOf(runbook?: string): RuleMaker {
  const make = (status: Status, meaning: string, remedy?: string): Rule => ({ status, meaning, runbook, remedy });
  return make as RuleMaker;
}
