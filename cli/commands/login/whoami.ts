import { z } from 'zod';
import type { Run } from '../../context.ts';
import { readSession, sessionFile } from '../../control/session.ts';
import { refuse } from '../../refusal.ts';

const Claims = z.object({ 'cognito:groups': z.array(z.string()).default([]) });

export const run: Run = async (context) => {
  const file = sessionFile(context.home, context.cloud('control').isLocal, context.terminal.env);
  const session = await readSession(file);
  if (session === undefined) return refuse('signed-in', 'nobody is signed in', 'sign in: gatehouse login');
  const { username, apiUrl, expiresAt, idToken } = session;
  // For show: what counts is what control says of the person when they decide.
  const roles = Claims.parse(JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()))[
    'cognito:groups'
  ];
  context.print({
    data: { username, roles, apiUrl, expiresAt },
    sections: [{ lines: [`${username}, at sign-in in ${roles.join(', ') || 'no role'}`, `for ${apiUrl}`] }],
  });
};
