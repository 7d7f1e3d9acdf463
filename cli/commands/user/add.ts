import { InvalidParameterException, InvalidPasswordException } from '@aws-sdk/client-cognito-identity-provider';
import { z } from 'zod';
import { Role } from '#domain/policy/role.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { peopleOf } from './people.ts';

const Input = z.object({ username: z.string().min(1), role: z.array(Role).min(1) });

export const run: Run = async (context) => {
  const { username, role: roles } = context.input(Input);
  const people = await peopleOf(context);
  const existing = await people.find(username);
  if (existing === undefined) {
    // Never an option: other users of this machine see the arguments of every process.
    const password =
      context.terminal.env['GATEHOUSE_PASSWORD'] ?? (await context.ask(`Password for ${username}: `, true));
    await people.add(username, password).catch((error: unknown) => {
      if (error instanceof InvalidPasswordException || error instanceof InvalidParameterException)
        return refuse('user-valid', error.message);
      throw error;
    });
  }
  const added = roles.filter((role) => existing?.roles.includes(role) !== true);
  for (const role of added) await people.giveRole(username, role);
  const all = [...new Set([...(existing?.roles ?? []), ...roles])];
  const what = existing === undefined ? 'added' : added.length === 0 ? 'unchanged' : 'has more roles';
  context.print({
    data: { username, existed: existing !== undefined, added, roles: all },
    sections: [{ lines: [`${username}: ${what}; decides as ${all.join(', ')}`] }],
  });
};
