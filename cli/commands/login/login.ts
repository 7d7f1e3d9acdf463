import { z } from 'zod';
import type { Run } from '../../context.ts';
import { controlAccess } from '../../control/api.ts';
import { sessionFile, writeSession } from '../../control/session.ts';
import { enrolAuthenticator, signIn } from '../../control/sign-in.ts';

const Input = z.object({
  username: z.string().min(1).optional(),
  api: z.url().optional(),
  client: z.string().optional(),
  mfa: z.boolean().default(false),
});

export const run: Run = async (context) => {
  const { username: named, api, client, mfa } = context.input(Input);
  const access = await controlAccess(context, { api, client });
  const username = named ?? context.terminal.env['GATEHOUSE_USERNAME'] ?? (await context.ask('User name: '));
  // Never an option: other users of this machine see the arguments of every process.
  const password = context.terminal.env['GATEHOUSE_PASSWORD'] ?? (await context.ask('Password: ', true));
  const ask = (question: string, secret?: boolean) => context.ask(question, secret);
  const signedIn = await signIn(access, username, password, ask, context.now());
  if (mfa) await enrolAuthenticator(access, signedIn, ask);
  const { session } = signedIn;
  const file = sessionFile(context.home, context.cloud('control').isLocal, context.terminal.env);
  await writeSession(file, session);
  context.print({
    data: { username: session.username, mfa, apiUrl: session.apiUrl, expiresAt: session.expiresAt },
    sections: [
      {
        lines: [
          `signed in to control as ${session.username}`,
          ...(mfa ? ['from now on each sign-in requires a code of your authenticator'] : []),
        ],
      },
    ],
  });
};
