import {
  AdminGetUserCommand,
  type CognitoIdentityProviderClient,
  paginateAdminListGroupsForUser,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import type { Directory } from '#ports/directory.ts';

/** The user pool as a directory: membership as it is now, none for a disabled user. */
export function cognitoDirectory(client: CognitoIdentityProviderClient, userPoolId: string): Directory {
  return {
    async groupsOf(username) {
      const user = { UserPoolId: userPoolId, Username: username };
      try {
        const found = await client.send(new AdminGetUserCommand(user));
        if (found.Enabled === false) return [];
        const groups: string[] = [];
        for await (const page of paginateAdminListGroupsForUser({ client }, user)) {
          groups.push(...(page.Groups ?? []).flatMap((group) => group.GroupName ?? []));
        }
        return groups.sort();
      } catch (error) {
        if (error instanceof UserNotFoundException) return [];
        throw error;
      }
    },
  };
}
