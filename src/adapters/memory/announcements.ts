import type { AuditRecord } from '#domain/audit/chain.ts';
import { messageText } from '#domain/limits.ts';
import type { Announcements } from '#ports/announcements.ts';

/** Announcements in memory, by whom they are for. */
export function memoryAnnouncements(): Announcements & {
  readonly announced: readonly AuditRecord[];
  readonly emitted: readonly AuditRecord[];
  readonly alerted: readonly AuditRecord[];
  /** Those of the alerts that may repeat an earlier one. */
  readonly repeated: readonly AuditRecord[];
} {
  const announced: AuditRecord[] = [];
  const emitted: AuditRecord[] = [];
  const alerted: AuditRecord[] = [];
  const repeated: AuditRecord[] = [];
  const into = (list: AuditRecord[]) => async (record: AuditRecord) => {
    messageText(`the message of ${record.code}`, record);
    list.push(structuredClone(record));
  };
  return {
    announced,
    emitted,
    alerted,
    repeated,
    announce: into(announced),
    emit: into(emitted),
    async alert(record, { mayRepeat }) {
      await into(alerted)(record);
      if (mayRepeat) await into(repeated)(record);
    },
  };
}
