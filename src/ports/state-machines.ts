/** The state machines of an environment, by the names of their files. */
export type Machine =
  | 'retraining'
  | 'validation'
  | 'data-quality'
  | 'promotion'
  | 'canary'
  | 'confirmation'
  | 'incident'
  | 'rollback'
  | 'rollback-readiness'
  | 'release-tests'
  | 'rollback-verification'
  | 'probation'
  | 'drift'
  | 'batch-inference';

/** Starts executions, returns task tokens, and says which executions are over. */
export interface StateMachines {
  /** The same name with the same input is started once, however often it is asked for. */
  start(machine: Machine, name: string, input: object): Promise<'started' | 'already-started'>;
  /** Ends the wait of a task; `gone` when nobody waits for the token any more. */
  succeed(token: string, output: object): Promise<'returned' | 'gone'>;
  /** How the execution of a name ended, also one that does not exist any more; nothing while it runs. */
  endOf(machine: Machine, name: string): Promise<string | undefined>;
}
