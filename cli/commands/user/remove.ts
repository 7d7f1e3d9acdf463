import { z } from 'zod';
import { Role } from '#domain/policy/role.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { peopleOf } from './people.ts';

const Input = z.object({ username: z.string().min(1), role: z.array(Role).default([]) });

export const run: Run = async (context) => {
  const { username, role: roles } = context.input(Input);
  const people = await peopleOf(context);
  const person = await people.find(username);
  if (person === undefined) return refuse('user-known', `there is no ${username} in control`);
  if (roles.length === 0) {
    await context.confirm(`Remove ${username} (${person.roles.join(', ') || 'no role'}) from control?`);
    await people.remove(username);
  }
  const taken = roles.filter((role) => person.roles.includes(role));
  for (const role of taken) await people.takeRole(username, role);
  const left = roles.length === 0 ? [] : person.roles.filter((role) => !roles.includes(role));
  context.print({
    data: { username, removed: roles.length === 0, taken, roles: left },
    sections: [
      {
        lines: [
          roles.length === 0
            ? `${username} is removed; what they have approved stays approved`
            : `${username} decides as ${left.join(', ') || 'nobody'} from now on; what they have approved stays approved`,
        ],
      },
    ],
  });
};
