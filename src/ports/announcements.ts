import type { AuditRecord } from '#domain/audit/chain.ts';

/** Tells others that something happened. A hint only: whoever hears it reads the facts again. */
export interface Announcements {
  /** To the peers: this environment's chain of the model has come to the record. */
  announce(record: AuditRecord): Promise<void>;
  /** To this environment's own rules. */
  emit(record: AuditRecord): Promise<void>;
  /** To people: something needs their attention. Carries no token and no acting link; says so where it may have been sent before. */
  alert(record: AuditRecord, how: { readonly mayRepeat: boolean }): Promise<void>;
}
