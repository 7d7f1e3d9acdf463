import { CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { main } from '#cli/program.ts';
import { Role } from '#domain/policy/role.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { clients, eventually, freshCloud, type TestCloud } from '../_helpers/cloud.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
  const names = namesOf(config, 'control');
  const { cloudFormation } = clients(cloud, names.account);
  const Resources = {
    People: { Type: 'AWS::Cognito::UserPool', Properties: { Policies: { PasswordPolicy: { MinimumLength: 12 } } } },
    ...Object.fromEntries(
      Role.options.map((role) => [
        role.replace('-', ''),
        { Type: 'AWS::Cognito::UserPoolGroup', Properties: { UserPoolId: { Ref: 'People' }, GroupName: role } },
      ]),
    ),
  };
  const TemplateBody = JSON.stringify({ Resources, Outputs: { UserPoolId: { Value: { Ref: 'People' } } } });
  await cloudFormation().send(new CreateStackCommand({ StackName: names.name('Control'), TemplateBody }));
  await eventually('the user pool', async () => ((await gatehouse('user', 'list')).code === 0 ? true : undefined));
});
afterAll(() => cloud[Symbol.asyncDispose]());

async function gatehouse(...args: readonly string[]) {
  const terminal = silentTerminal({ GATEHOUSE_HOME: cloud.home, GATEHOUSE_PASSWORD: 'Only-on-this-laptop-1' });
  const code = await main([...args, '-o', 'json', '--yes'], terminal);
  const { out } = terminal.shown;
  return { code, data: (out.trim() === '' ? undefined : JSON.parse(out)) as unknown };
}
const people = async (): Promise<Record<string, readonly string[]>> => {
  const { data } = await gatehouse('user', 'list');
  const Listed = z.object({ people: z.array(z.object({ username: z.string(), roles: z.array(z.string()) })) });
  return Object.fromEntries(Listed.parse(data).people.map(({ username, roles }) => [username, roles.toSorted()]));
};

it('adds people, gives and takes roles, and removes people; each may be typed again', async () => {
  expect(await people()).toEqual({});
  expect(await gatehouse('user', 'add', 'lea', '--role', 'ml-lead')).toMatchObject({
    code: 0,
    data: { existed: false, added: ['ml-lead'] },
  });
  expect(await gatehouse('user', 'add', 'lea', '--role', 'ml-lead')).toMatchObject({
    data: { existed: true, added: [] },
  });
  await gatehouse('user', 'add', 'lea', '--role', 'platform', 'risk');
  expect(await people()).toEqual({ lea: ['ml-lead', 'platform', 'risk'] });
  expect(await gatehouse('user', 'remove', 'lea', '--role', 'risk')).toMatchObject({
    code: 0,
    data: { removed: false },
  });
  expect(await people()).toEqual({ lea: ['ml-lead', 'platform'] });
  expect(await gatehouse('user', 'remove', 'lea')).toMatchObject({ code: 0, data: { removed: true } });
  expect(await people()).toEqual({});
  expect(await gatehouse('user', 'remove', 'lea')).toMatchObject({ code: 1, data: { error: { rule: 'user-known' } } });
});

it('knows the roles before it asks anybody', async () => {
  const { code, data } = await gatehouse('user', 'add', 'lea', '--role', 'boss');
  expect(code).toBe(2);
  expect(JSON.stringify(data)).toContain('ml-lead');
});

it('says who is signed in, and forgets them', async () => {
  expect(await gatehouse('whoami')).toMatchObject({ code: 1, data: { error: { rule: 'signed-in' } } });
  const claims = Buffer.from(JSON.stringify({ 'cognito:groups': ['ml-lead'] })).toString('base64url');
  await writeFile(
    join(cloud.home, 'session.json'),
    JSON.stringify({
      formatVersion: 1,
      username: 'lea',
      apiUrl: 'https://control.example',
      clientId: 'client',
      region: 'us-east-1',
      idToken: `head.${claims}.signature`,
      refreshToken: 'refresh',
      expiresAt: '2026-03-01T00:00:00.000Z',
    }),
  );
  expect(await gatehouse('whoami')).toMatchObject({ code: 0, data: { username: 'lea', roles: ['ml-lead'] } });
  expect(await gatehouse('logout')).toMatchObject({ code: 0, data: { username: 'lea' } });
  expect(await gatehouse('logout')).toMatchObject({ code: 0, data: { username: null } });
  expect((await gatehouse('whoami')).code).toBe(1);
});
