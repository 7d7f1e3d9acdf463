import type { Run } from '../../context.ts';
import { peopleOf } from './people.ts';

export const run: Run = async (context) => {
  const people = await (await peopleOf(context)).list();
  context.print({
    data: { people },
    sections: [
      {
        title: 'people of control',
        columns: ['name', 'roles', 'status'],
        rows: people.map(({ username, roles, status, isEnabled }) => [
          username,
          roles.join(', ') || 'none',
          isEnabled ? status.toLowerCase() : 'disabled',
        ]),
        empty: 'nobody can approve yet; add somebody: gatehouse user add NAME --role ml-lead',
      },
    ],
  });
};
