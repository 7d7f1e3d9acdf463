import { expect, it } from 'vitest';
import type { Cloud } from '#cli/cloud.ts';
import { startExecution } from '#cli/executions.ts';
import { testContext } from './_context.ts';

/** Prod as it answers a caller who may not start anything. */
function forbidding(): Cloud {
  const { context } = testContext({});
  const denied = Object.assign(new Error('not authorized to perform: states:StartExecution'), {
    name: 'AccessDeniedException',
  });
  const sfn = { value: { send: () => Promise.reject(denied) } };
  return Object.defineProperty(context.cloud('prod'), 'sfn', sfn);
}

it('names the roles that may start a machine to whoever AWS refuses', async () => {
  await expect(startExecution(forbidding(), 'rollback', 'r-1', {})).rejects.toMatchObject({
    refusal: {
      rule: 'role-held',
      found: expect.stringMatching(/^rollback in prod is started by platform: not authorized/),
      remedy: 'use credentials that have the policy gatehouse-prod-platform',
    },
  });
});

it('says of a machine that nobody starts by hand that the pipeline does', async () => {
  await expect(startExecution(forbidding(), 'promotion', 'p-1', {})).rejects.toMatchObject({
    refusal: { rule: 'role-held', remedy: 'let the pipeline start it' },
  });
});
