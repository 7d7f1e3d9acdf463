import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminRemoveUserFromGroupCommand,
  CreateGroupCommand,
  CreateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cognitoDirectory } from '#adapters/aws/directory.ts';
import { memoryDirectory } from '#adapters/memory/people.ts';
import type { Directory } from '#ports/directory.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

interface Fixture {
  readonly directory: Directory;
  readonly joins: (user: string, group: string) => Promise<unknown>;
  readonly leaves: (user: string, group: string) => Promise<unknown>;
  readonly isDisabled: (user: string) => Promise<unknown>;
}

function inMemory(): Fixture {
  const directory = memoryDirectory({ ada: [], bob: [] });
  const { members } = directory;
  return {
    directory,
    joins: async (user, group) => (members[user] = [...(members[user] ?? []), group]),
    leaves: async (user, group) => (members[user] = (members[user] ?? []).filter((each) => each !== group)),
    isDisabled: async (user) => delete members[user],
  };
}

async function inCognito(): Promise<Fixture> {
  const cognito = clients(cloud, '444444444444').cognito();
  const { UserPool: pool } = await cognito.send(new CreateUserPoolCommand({ PoolName: 'people' }));
  const UserPoolId = pool?.Id ?? '';
  for (const GroupName of ['platform', 'ml-lead'])
    await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName }));
  for (const Username of ['ada', 'bob'])
    await cognito.send(new AdminCreateUserCommand({ UserPoolId, Username, MessageAction: 'SUPPRESS' }));
  const member = (Username: string, GroupName: string) => ({ UserPoolId, Username, GroupName });
  return {
    directory: cognitoDirectory(cognito, UserPoolId),
    joins: (user, group) => cognito.send(new AdminAddUserToGroupCommand(member(user, group))),
    leaves: (user, group) => cognito.send(new AdminRemoveUserFromGroupCommand(member(user, group))),
    isDisabled: (Username) => cognito.send(new AdminDisableUserCommand({ UserPoolId, Username })),
  };
}

describe.each([
  ['in memory', async () => inMemory()],
  ['in Cognito', inCognito],
])('a directory %s', (_, fresh: () => Promise<Fixture>) => {
  it('says who belongs where now, and nothing of who is not there or may not come in', async () => {
    const { directory, joins, leaves, isDisabled } = await fresh();
    expect(await directory.groupsOf('nobody')).toEqual([]);
    expect(await directory.groupsOf('ada')).toEqual([]);
    await joins('ada', 'platform');
    await joins('ada', 'ml-lead');
    await joins('bob', 'ml-lead');
    expect(await directory.groupsOf('ada')).toEqual(['ml-lead', 'platform']);
    await leaves('ada', 'platform');
    expect(await directory.groupsOf('ada')).toEqual(['ml-lead']);
    await isDisabled('ada');
    expect(await directory.groupsOf('ada')).toEqual([]);
    expect(await directory.groupsOf('bob')).toEqual(['ml-lead']);
  });
});
