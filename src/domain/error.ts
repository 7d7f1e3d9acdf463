/** A fault with a stable code, the values that matter, and its cause. What is thrown is retryable by definition. */
export class GatehouseError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'GatehouseError';
    this.code = code;
    this.details = details;
  }
}

/** A refusal: a value, never thrown, that names the rule, what was found, and what would change it. */
export interface Refusal {
  readonly rule: string;
  readonly found: string;
  readonly remedy: string;
}
