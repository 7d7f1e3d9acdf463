import { InvokeCommand } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { lambdaArms } from '#adapters/aws/arms.ts';

const FUNCTIONS = { candidate: 'arn:candidate:live', control: 'arn:control:live' };

/** Arms whose Lambda answers in some way; `sent` is what it was asked for last. */
function arms(answer: object) {
  const state: { sent?: InvokeCommand; signal?: AbortSignal } = {};
  const client = {
    async send(command: InvokeCommand, { abortSignal }: { readonly abortSignal: AbortSignal }) {
      state.sent = command;
      state.signal = abortSignal;
      return answer;
    },
  };
  return { state, caller: lambdaArms(client as never, FUNCTIONS) };
}
const { signal } = new AbortController();
const payload = (text: string): Uint8Array => new TextEncoder().encode(text);

it('calls the alias of the arm, waits for its answer, and can be ended', async () => {
  const { state, caller } = arms({ StatusCode: 200, Payload: payload('{"kind":"answered"}') });
  expect(await caller.call('control', { id: 'call 1' }, signal)).toEqual({ kind: 'answered' });
  expect(state.sent?.input).toEqual({
    FunctionName: 'arn:control:live',
    InvocationType: 'RequestResponse',
    Payload: '{"id":"call 1"}',
  });
  expect(state.signal).toBe(signal);
  await caller.call('candidate', {}, signal);
  expect(state.sent?.input.FunctionName).toBe('arn:candidate:live');
});

it('says that a function has crashed, and what it said', async () => {
  const { caller } = arms({ FunctionError: 'Unhandled', Payload: payload('{"errorMessage":"out of memory"}') });
  await expect(caller.call('candidate', {}, signal)).rejects.toMatchObject({
    code: 'ARM_CRASHED',
    message: expect.stringMatching(/candidate ended with Unhandled: .*out of memory/),
  });
});

it('takes nothing for an answer that is no JSON', async () => {
  for (const answer of [{}, { Payload: payload('') }, { Payload: payload('{') }])
    await expect(arms(answer).caller.call('candidate', {}, signal)).rejects.toThrow(SyntaxError);
});
