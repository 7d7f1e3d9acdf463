import { rm } from 'node:fs/promises';
import type { Run } from '../../context.ts';
import { readSession, sessionFile } from '../../control/session.ts';

export const run: Run = async (context) => {
  const file = sessionFile(context.home, context.cloud('control').isLocal, context.terminal.env);
  // One that cannot be read is forgotten as well.
  const session = await readSession(file).catch(() => undefined);
  await rm(file, { force: true });
  const username = session?.username ?? null;
  context.print({
    data: { username },
    sections: [{ lines: [username === null ? 'nobody was signed in' : `${username} is signed out on this machine`] }],
  });
};
