import { isDeepStrictEqual } from 'node:util';
import { messageText } from '#domain/limits.ts';
import type { Machine, StateMachines } from '#ports/state-machines.ts';

/** State machines in memory: what was started stands in `started`; a token that waits is in `waiting`, its answer in `answers`; how an execution ended, in `ended`. */
export function memoryStateMachines(): StateMachines & {
  readonly started: Map<string, { readonly machine: Machine; readonly input: object }>;
  readonly waiting: Set<string>;
  readonly answers: Map<string, object>;
  readonly ended: Map<string, string>;
} {
  const started = new Map<string, { machine: Machine; input: object }>();
  const waiting = new Set<string>();
  const answers = new Map<string, object>();
  const ended = new Map<string, string>();
  return {
    started,
    waiting,
    answers,
    ended,
    async start(machine, name, input) {
      messageText(`the input of ${machine}`, input);
      const earlier = started.get(name);
      if (earlier === undefined) started.set(name, structuredClone({ machine, input }));
      // As on AWS: an execution that has ended is not started again, whatever its input.
      if (earlier === undefined) return 'started';
      return !ended.has(name) && isDeepStrictEqual(earlier, { machine, input }) ? 'started' : 'already-started';
    },
    async succeed(token, output) {
      messageText('the answer to a task', output);
      if (!waiting.delete(token)) return 'gone';
      answers.set(token, structuredClone(output));
      return 'returned';
    },
    endOf: async (_machine, name) => ended.get(name),
  };
}
