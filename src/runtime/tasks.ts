import { messageText } from '#domain/limits.ts';
import type { Task } from '#use-cases/task.ts';
import { logger } from './observability.ts';

/** What a state machine sends: the name of the state, which is the name of the task, and its parameters. */
interface TaskEvent {
  readonly task: string;
  readonly input: unknown;
}

/** The one handler of every function that state machines call: looks the task up by its state's name, and logs a line. */
export function tasks(table: Readonly<Record<string, Task>>): (event: TaskEvent) => Promise<object> {
  return async ({ task: name, input }) => {
    const run = table[name];
    if (run === undefined) throw new Error(`no task "${name}" here; there are: ${Object.keys(table).join(', ')}`);
    const started = Date.now();
    try {
      const output = await run(input);
      // A larger answer would be refused by Step Functions, after all the work, without a word of what it was.
      messageText(`the answer of ${name}`, output);
      logger.info('task done', {
        task: name,
        milliseconds: Date.now() - started,
        status: 'status' in output ? output.status : undefined,
      });
      return output;
    } catch (error) {
      logger.error('task failed', {
        task: name,
        milliseconds: Date.now() - started,
        error: error instanceof Error ? error : String(error),
      });
      throw error;
    }
  };
}
