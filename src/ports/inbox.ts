/** The name of an environment, as peers call each other. */
export type Environment = string;

/** An environment's own inbox and outbox, as its reconciler tends them. */
export interface Inbox {
  /** Keeps the inbox subscribed to a peer's announcements; `absent` while the peer is not deployed. */
  subscribe(peer: Environment): Promise<'subscribed' | 'was-subscribed' | 'absent'>;
  /** Puts the hint into the own inbox that a peer's chain should be read, as the peer's announcement would. */
  askToRead(peer: Environment, model: string): Promise<void>;
  /** Has the publisher look for records that it has not published. */
  askToPublish(model: string): Promise<void>;
}
