import type { ApprovalRequest } from '#domain/control/request.ts';
import type { Directory } from '#ports/directory.ts';
import type { Notices } from '#ports/notices.ts';

/** A directory in memory; `members` is open, so that a test can take a role away between sign-in and decision. */
export function memoryDirectory(
  members: Record<string, string[]>,
): Directory & { readonly members: Record<string, string[]> } {
  return { members, groupsOf: async (username) => (members[username] ?? []).toSorted() };
}

/** Notices in memory. */
export function memoryNotices(): Notices & { readonly sent: readonly ApprovalRequest[] } {
  const sent: ApprovalRequest[] = [];
  return {
    sent,
    askApprovers(request) {
      sent.push(structuredClone(request));
      return Promise.resolve();
    },
  };
}
