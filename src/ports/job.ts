/** What became of asking for a job; `refused` means that no retry starts it, and why. */
export type JobStart = { readonly kind: 'started' } | { readonly kind: 'refused'; readonly reason: string };

/** There is no such job: it is being created, was never created, or was deleted. */
export interface AbsentJob {
  readonly kind: 'absent';
}
