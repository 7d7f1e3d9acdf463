import type { Machine } from './state-machines.ts';

/** What a queue holds that is not being worked on. */
export interface QueueState {
  readonly name: string;
  readonly messages: number;
}

/** What AWS says of an environment's resources. Nothing of it changes anything. */
export interface Resources {
  /** The executions of a machine that run, and since when. */
  running(machine: Machine): Promise<readonly { readonly name: string; readonly startedAt: Date }[]>;
  /** The queues whose names begin with a text. */
  queues(prefix: string): Promise<readonly QueueState[]>;
  /** Who is subscribed to a topic; `absent` where there is no topic, or none that may be seen. */
  subscribers(
    topic: string,
  ): Promise<'absent' | readonly { readonly endpoint: string; readonly isConfirmed: boolean }[]>;
  /** The names of the subscription filters of a log group. */
  logSubscriptions(logGroup: string): Promise<readonly string[]>;
  /** What invokes a function from a queue or a stream, and in what state it is, such as `Enabled`. */
  eventSources(functionName: string): Promise<readonly { readonly source: string; readonly state: string }[]>;
  /** The state of a key by its alias, such as `Enabled` or `PendingDeletion`; `absent` where there is no key. */
  keyState(alias: string): Promise<string>;
}
