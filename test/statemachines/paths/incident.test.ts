import { expect, it } from 'vitest';
import { REFUSED } from '../_scripts.ts';
import { run } from './_run.ts';

it('does what a person says of an incident, or ends in the refusal', async () => {
  const { path, calls } = await run('incident');
  expect(path).toEqual(['Change incident', 'Incident changed?', 'Changed']);
  expect(calls[0]?.payload).toMatchObject({ input: { action: 'acknowledge', rootCause: null } });
  const refused = await run('incident', { 'Change incident': REFUSED });
  expect(refused.path).toEqual(['Change incident', 'Incident changed?', 'Refused']);
});
