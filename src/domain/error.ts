import type { FaultCode } from './faults.ts';

/** A fault with a code of the registry, the values that matter, and its cause. The registry says whether the same call may succeed later. */
export class GatehouseError extends Error {
  readonly code: FaultCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: FaultCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'GatehouseError';
    this.code = code;
    this.details = details;
  }
}
