import type { z } from 'zod';
import { type Call, TaskError } from '#local/statemachines/interpreter.ts';
import type { Answers } from '#statemachines/contract.ts';
import type { CONTRACTS } from '#statemachines/contracts.ts';

/** The answers of each state of a machine, as its contract has them. */
export type ScriptOf<M extends MachineName> = Answers<(typeof CONTRACTS)[M]>;
export type MachineName = keyof typeof CONTRACTS;

/** What a machine is started with. */
export type InputOf<M extends MachineName> = z.input<(typeof CONTRACTS)[M]['input']>;

/** What a state answers: always the same, or one answer for each time that it is entered. */
export type Script = Readonly<Record<string, object | readonly object[]>>;

/** Answers each state by its script; a state without one is a mistake of the test. */
export function scripted(...scripts: readonly Readonly<object>[]): (call: Call) => unknown {
  const script: Script = Object.assign({}, ...scripts);
  return ({ state, visit }) => {
    const answer = script[state];
    if (answer === undefined) throw new Error(`the script has no answer for "${state}"`);
    if (!Array.isArray(answer)) return answer;
    const one: unknown = answer[Math.min(visit, answer.length - 1)];
    return one;
  };
}

/** As scripted, but one state meets a fault that no repetition mends. */
export function failing(state: string, script: Script, error = 'Runtime.HandlerError'): (call: Call) => unknown {
  const answer = scripted(script);
  return (call) => {
    if (call.state === state) throw new TaskError(error);
    return answer(call);
  };
}
