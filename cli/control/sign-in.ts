import {
  type AuthenticationResultType,
  ChallengeNameType,
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
  NotAuthorizedException,
  RespondToAuthChallengeCommand,
  UserNotFoundException,
} from '@aws-sdk/client-cognito-identity-provider';
import { GatehouseError } from '#domain/error.ts';
import { refuse } from '../refusal.ts';
import type { Session } from './session.ts';

/** Which API and which user pool a person signs in to. */
export interface ControlAccess {
  readonly apiUrl: string;
  readonly clientId: string;
  readonly region: string;
  readonly endpoint: string | undefined;
}

/** Asks the person for what only they know. */
export type Ask = (question: string, secret?: boolean) => Promise<string>;

/** Signs a person in by user name and password, and whatever the user pool asks beside. */
export async function signIn(
  access: ControlAccess,
  username: string,
  password: string,
  ask: Ask,
  now: Date,
): Promise<Session> {
  const client = cognito(access);
  const authenticated = await refusing(async () => {
    let answer = await client.send(
      new InitiateAuthCommand({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: access.clientId,
        AuthParameters: { USERNAME: username, PASSWORD: password },
      }),
    );
    while (answer.ChallengeName !== undefined) {
      answer = await client.send(
        new RespondToAuthChallengeCommand({
          ClientId: access.clientId,
          ChallengeName: answer.ChallengeName,
          Session: answer.Session,
          ChallengeResponses: { USERNAME: username, ...(await responseTo(answer.ChallengeName, ask)) },
        }),
      );
    }
    return answer.AuthenticationResult;
  });
  return sessionOf(access, username, authenticated, undefined, now);
}

/** The same session with fresh tokens. */
export async function refreshed(access: ControlAccess, session: Session, now: Date): Promise<Session> {
  const authenticated = await refusing(async () => {
    const answer = await cognito(access).send(
      new InitiateAuthCommand({
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        ClientId: access.clientId,
        AuthParameters: { REFRESH_TOKEN: session.refreshToken },
      }),
    );
    return answer.AuthenticationResult;
  });
  return sessionOf(access, session.username, authenticated, session.refreshToken, now);
}

// Signing in is what makes credentials: the calls themselves carry none.
function cognito({ region, endpoint }: ControlAccess): CognitoIdentityProviderClient {
  return new CognitoIdentityProviderClient({ region, ...(endpoint === undefined ? {} : { endpoint }) });
}

async function responseTo(challenge: ChallengeNameType, ask: Ask): Promise<Record<string, string>> {
  switch (challenge) {
    case 'NEW_PASSWORD_REQUIRED':
      return { NEW_PASSWORD: await ask('This password was temporary. New password: ', true) };
    case 'SOFTWARE_TOKEN_MFA':
      return { SOFTWARE_TOKEN_MFA_CODE: await ask('Code of your authenticator: ') };
    default:
      throw new GatehouseError(
        'UNKNOWN_CHALLENGE',
        `the user pool asks for ${challenge}, which this command does not know`,
        { challenge },
      );
  }
}

async function refusing<T>(authenticate: () => Promise<T>): Promise<T> {
  try {
    return await authenticate();
  } catch (error) {
    if (!(error instanceof NotAuthorizedException) && !(error instanceof UserNotFoundException)) throw error;
    return refuse(
      'signed-in',
      `the user pool says: ${error.message}`,
      'sign in with the right user name and password: gatehouse login',
    );
  }
}

function sessionOf(
  access: ControlAccess,
  username: string,
  result: AuthenticationResultType | undefined,
  refreshToken: string | undefined,
  now: Date,
): Session {
  const [idToken, refresh] = [result?.IdToken, result?.RefreshToken ?? refreshToken];
  if (idToken === undefined || refresh === undefined)
    throw new GatehouseError('NO_TOKENS', 'the user pool gave no tokens');
  return {
    formatVersion: 1,
    username,
    apiUrl: access.apiUrl,
    clientId: access.clientId,
    region: access.region,
    idToken,
    refreshToken: refresh,
    expiresAt: new Date(now.getTime() + (result?.ExpiresIn ?? 300) * 1000).toISOString(),
  };
}
