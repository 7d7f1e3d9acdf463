import {
  AssociateSoftwareTokenCommand,
  type AuthenticationResultType,
  CodeMismatchException,
  CognitoIdentityProviderClient,
  EnableSoftwareTokenMFAException,
  InitiateAuthCommand,
  type InitiateAuthCommandOutput,
  NotAuthorizedException,
  RespondToAuthChallengeCommand,
  SetUserMFAPreferenceCommand,
  UserNotFoundException,
  VerifySoftwareTokenCommand,
  type VerifySoftwareTokenCommandOutput,
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

/** A person who has just signed in: the session that is kept, and the token by which they may change their own user. */
export interface SignedIn {
  readonly session: Session;
  readonly accessToken: string;
}

/** Signs a person in by user name and password, and whatever the user pool asks beside. */
export async function signIn(
  access: ControlAccess,
  username: string,
  password: string,
  ask: Ask,
  now: Date,
): Promise<SignedIn> {
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
      const { Session: challenged, ...responses } = await responseTo(client, answer, username, ask);
      answer = await client.send(
        new RespondToAuthChallengeCommand({
          ClientId: access.clientId,
          ChallengeName: answer.ChallengeName,
          Session: challenged ?? answer.Session,
          ChallengeResponses: { USERNAME: username, ...responses },
        }),
      );
    }
    return answer.AuthenticationResult;
  });
  const accessToken = authenticated?.AccessToken;
  if (accessToken === undefined) throw new GatehouseError('NO_TOKENS', 'the user pool gave no tokens');
  return { session: sessionOf(access, username, authenticated, undefined, now), accessToken };
}

/** Enrols an authenticator (TOTP) for a person who has signed in: from then on each sign-in asks for its code. */
export async function enrolAuthenticator(
  access: ControlAccess,
  { session: { username }, accessToken }: SignedIn,
  ask: Ask,
): Promise<void> {
  const client = cognito(access);
  await refusing(async () => {
    const { SecretCode } = await client.send(new AssociateSoftwareTokenCommand({ AccessToken: accessToken }));
    const UserCode = await codeFor(SecretCode, username, ask);
    await verified(client.send(new VerifySoftwareTokenCommand({ AccessToken: accessToken, UserCode })));
    await client.send(
      new SetUserMFAPreferenceCommand({
        AccessToken: accessToken,
        SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
      }),
    );
  });
}

/** Shows an authenticator's key and asks for the first code that it makes of it. */
async function codeFor(secret: string | undefined, username: string, ask: Ask): Promise<string> {
  if (secret === undefined) throw new GatehouseError('NO_SECRET', 'the user pool gave no key for an authenticator');
  const label = encodeURIComponent(`Gatehouse:${username}`);
  const uri = `otpauth://totp/${label}?secret=${secret}&issuer=Gatehouse`;
  const code = await ask(`Add this key to your authenticator: ${secret}\n  (as a link: ${uri})\nCode that it shows: `);
  return code.trim();
}

async function verified(answer: Promise<VerifySoftwareTokenCommandOutput>): Promise<VerifySoftwareTokenCommandOutput> {
  const found = await answer;
  if (found.Status === 'SUCCESS') return found;
  return refuse('mfa-code', 'the user pool does not accept the code');
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

/** The answer to a challenge, and the session in which it is given where that is another one. */
async function responseTo(
  client: CognitoIdentityProviderClient,
  { ChallengeName: challenge, Session: session }: Pick<InitiateAuthCommandOutput, 'ChallengeName' | 'Session'>,
  username: string,
  ask: Ask,
): Promise<Record<string, string>> {
  switch (challenge) {
    case 'NEW_PASSWORD_REQUIRED':
      return { NEW_PASSWORD: await ask('This password was temporary. New password: ', true) };
    case 'SOFTWARE_TOKEN_MFA':
      return { SOFTWARE_TOKEN_MFA_CODE: (await ask('Code of your authenticator: ')).trim() };
    case 'MFA_SETUP': {
      // The pool asks everybody for an authenticator, and this person has none yet.
      const associated = await client.send(new AssociateSoftwareTokenCommand({ Session: session }));
      const UserCode = await codeFor(associated.SecretCode, username, ask);
      const { Session: next } = await verified(
        client.send(new VerifySoftwareTokenCommand({ Session: associated.Session, UserCode })),
      );
      return next === undefined ? {} : { Session: next };
    }
    default:
      throw new GatehouseError(
        'UNKNOWN_CHALLENGE',
        `the user pool demands ${challenge}, which this command does not know`,
        { challenge },
      );
  }
}

async function refusing<T>(authenticate: () => Promise<T>): Promise<T> {
  try {
    return await authenticate();
  } catch (error) {
    if (error instanceof CodeMismatchException || error instanceof EnableSoftwareTokenMFAException)
      return refuse('mfa-code', `the user pool says: ${error.message}`);
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
