import type { ApprovalRequest } from '#domain/control/request.ts';

/** Tells people that something waits for them. A notice carries no token and no link that acts. */
export interface Notices {
  askApprovers(request: ApprovalRequest): Promise<void>;
}
