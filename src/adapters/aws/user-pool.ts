import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminSetUserPasswordCommand,
  type CognitoIdentityProviderClient,
  paginateListUsers,
  UserNotFoundException,
  UsernameExistsException,
} from '@aws-sdk/client-cognito-identity-provider';
import { Role } from '#domain/policy/role.ts';

/** A person who may sign in, and the roles that they decide in. */
export interface Person {
  readonly username: string;
  readonly roles: readonly Role[];
  /** Cognito's word for the account: `CONFIRMED`, `FORCE_CHANGE_PASSWORD`. */
  readonly status: string;
  readonly isEnabled: boolean;
}

/** The people of control's user pool, as an administrator keeps them. */
export interface UserPool {
  /** Adds a person, whose password is for good; one who exists keeps theirs. */
  add(username: string, password: string): Promise<'added' | 'existed'>;
  giveRole(username: string, role: Role): Promise<void>;
  takeRole(username: string, role: Role): Promise<void>;
  find(username: string): Promise<Person | undefined>;
  list(): Promise<readonly Person[]>;
  remove(username: string): Promise<'removed' | 'absent'>;
}

/** A user pool of Cognito, whose groups are the roles. */
export function cognitoUserPool(client: CognitoIdentityProviderClient, pool: string): UserPool {
  const of = (username: string) => ({ UserPoolId: pool, Username: username });
  const rolesOf = async (username: string): Promise<readonly Role[]> => {
    const { Groups: groups = [] } = await client.send(
      new AdminListGroupsForUserCommand({ ...of(username), Limit: 60 }),
    );
    return groups.flatMap(({ GroupName: name }) => Role.safeParse(name).data ?? []);
  };
  const list = async (filter?: string): Promise<readonly Person[]> => {
    const people: Person[] = [];
    for await (const page of paginateListUsers({ client }, { UserPoolId: pool, Filter: filter })) {
      for (const { Username: username = '', UserStatus: status = '', Enabled: isEnabled = true } of page.Users ?? [])
        people.push({ username, roles: await rolesOf(username), status, isEnabled });
    }
    return people.toSorted((a, b) => (a.username < b.username ? -1 : 1));
  };
  return {
    list: () => list(),
    // The filter is Cognito's, and takes quotation marks by a backslash.
    find: async (username) =>
      (await list(`username = "${username.replaceAll(/["\\]/g, '\\$&')}"`)).find((each) => each.username === username),
    async add(username, password) {
      try {
        await client.send(new AdminCreateUserCommand({ ...of(username), MessageAction: 'SUPPRESS' }));
      } catch (error) {
        if (!(error instanceof UsernameExistsException)) throw error;
        return 'existed';
      }
      try {
        await client.send(new AdminSetUserPasswordCommand({ ...of(username), Password: password, Permanent: true }));
      } catch (error) {
        // A password that the pool refuses leaves nobody behind who could never sign in.
        await client.send(new AdminDeleteUserCommand(of(username)));
        throw error;
      }
      return 'added';
    },
    async giveRole(username, role) {
      await client.send(new AdminAddUserToGroupCommand({ ...of(username), GroupName: role }));
    },
    async takeRole(username, role) {
      await client.send(new AdminRemoveUserFromGroupCommand({ ...of(username), GroupName: role }));
    },
    async remove(username) {
      try {
        await client.send(new AdminDeleteUserCommand(of(username)));
        return 'removed';
      } catch (error) {
        if (error instanceof UserNotFoundException) return 'absent';
        throw error;
      }
    },
  };
}
