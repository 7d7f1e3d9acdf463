// The documents of a ledger as far as the reference looks at them: written down by hand, so that a schema's mistake is seen.

export interface ChainRecord {
  readonly seq: number;
  readonly at: string;
  readonly previous: string;
  readonly operation: string;
  readonly code: string;
  readonly release: string | null;
  readonly changes: string;
  readonly details: Readonly<Record<string, string | number | null>>;
}

export interface Pointer {
  readonly current: string;
  readonly version: string;
  readonly status: string;
  readonly until: string | null;
  readonly lastConfirmed: { readonly release: string } | null;
  readonly pendingPropagation: { readonly release: string } | null;
  readonly seq: number;
  readonly epoch: number;
  readonly fencingToken: number;
}

export interface Promotion {
  readonly promotion: string;
  readonly release: string;
  readonly status: string;
  readonly fencingToken: number;
  readonly transition: 'initial' | 'staging' | 'prod' | 'hotfix';
  readonly policy: string;
  readonly gates: readonly string[];
  readonly approvals: readonly { readonly role: string; readonly count: number }[];
  readonly requestedBy: string;
  readonly deadline: string;
  readonly replaces: string | null;
  readonly approvalRequest: { readonly evidence: string; readonly expiresAt: string } | null;
}

export interface Evidence {
  readonly gate: string;
  readonly release: string;
  readonly admitsTo: string;
  readonly promotion: string;
  readonly policy: string;
  readonly verdict: string;
  readonly expiresAt: string;
  readonly body: string;
}

export interface Approval {
  readonly promotion: string;
  readonly subject: string;
  readonly role: string;
  readonly decision: string;
  readonly release: string;
  readonly policy: string;
  readonly evidence: string;
  readonly statement: string;
  readonly expiresAt: string;
  readonly status: string;
}

export interface Lock {
  readonly promotion: string | null;
  readonly fencingToken: number;
}

/** The document under each authority. */
export interface Documents {
  readonly POINTER: Pointer;
  readonly PROMOTION: Promotion;
  readonly EVIDENCE: Evidence;
  readonly APPROVAL: Approval;
  readonly LOCK: Lock;
  readonly POLICY: { readonly policy: string; readonly activation: number };
  readonly UPSTREAM: { readonly withdrawn: string | null };
  readonly QUARANTINE: { readonly sk: string };
  readonly VERSION: { readonly sk: string };
  readonly RELEASED: { readonly seq: number };
}
