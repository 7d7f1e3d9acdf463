/** Who belongs to which group: asked at the moment of a decision, because a token may be older than the membership. */
export interface Directory {
  /** The groups of a user now; none for a user who is disabled or not there. */
  groupsOf(username: string): Promise<readonly string[]>;
}
