import { createHmac } from 'node:crypto';
import { CreateStackCommand } from '@aws-sdk/client-cloudformation';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  type CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloudOf } from '#cli/cloud.ts';
import { type ControlAccess, enrolAuthenticator, signIn } from '#cli/control/sign-in.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import config from '../../gatehouse.config.ts';

const NOW = new Date();
const PASSWORD = 'Only-for-this-test-1';

/** What an authenticator shows for a key now. Source: RFC 6238, with the defaults of RFC 4226. */
function codeOf(secret: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = secret
    .replaceAll('=', '')
    .split('')
    .map((each) => alphabet.indexOf(each).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

let cloud: TestCloud;
let client: CognitoIdentityProviderClient;
beforeAll(async () => {
  cloud = await freshCloud();
  client = clients(cloud, '444444444444').cognito();
});
afterAll(() => cloud[Symbol.asyncDispose]());

/** A pool as control's stack makes it, with one person. */
async function pool(mfa: 'OPTIONAL' | 'ON'): Promise<ControlAccess> {
  const { UserPool } = await client.send(new CreateUserPoolCommand({ PoolName: `people-${mfa}` }));
  const UserPoolId = UserPool?.Id;
  await client.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration: mfa,
      SoftwareTokenMfaConfiguration: { Enabled: true },
    }),
  );
  const ExplicitAuthFlows = ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] as const;
  const made = await client.send(
    new CreateUserPoolClientCommand({ UserPoolId, ClientName: 'cli', ExplicitAuthFlows: [...ExplicitAuthFlows] }),
  );
  await client.send(new AdminCreateUserCommand({ UserPoolId, Username: 'lea', MessageAction: 'SUPPRESS' }));
  await client.send(
    new AdminSetUserPasswordCommand({ UserPoolId, Username: 'lea', Password: PASSWORD, Permanent: true }),
  );
  const clientId = made.UserPoolClient?.ClientId ?? '';
  return { apiUrl: 'http://api.execute-api.localhost', clientId, region: cloud.region, endpoint: cloud.endpoint };
}

/** A person with an authenticator: it keeps the key that it is shown, and makes codes of it. */
function person() {
  const questions: string[] = [];
  let key = '';
  const ask = async (question: string): Promise<string> => {
    questions.push(question);
    key = /authenticator: ([A-Z2-7=]+)/.exec(question)?.[1] ?? key;
    return codeOf(key);
  };
  return { ask, questions };
}

it('sends tokens to the API that control’s own stack names, whatever other stacks of the account are called alike', async () => {
  const { cloudFormation } = clients(cloud, config.environments.control.account);
  const template = (url: string) =>
    JSON.stringify({
      Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: {} } },
      Outputs: { ApiUrl: { Value: url }, ClientId: { Value: `client of ${url}` } },
    });
  const control = cloudOf(config, 'control', { home: cloud.home });
  expect(await control.outputs('Control')).toEqual({});
  for (const [StackName, url] of [
    ['gatehouse-control-Control', 'https://control.example'],
    ['another-team', 'https://another.example'],
  ] as const)
    await cloudFormation().send(new CreateStackCommand({ StackName, TemplateBody: template(url) }));
  expect(await control.outputs('Control')).toEqual({
    ApiUrl: 'https://control.example',
    ClientId: 'client of https://control.example',
  });
});

describe('signing in', () => {
  it('enrols an authenticator, and asks for its code from then on', async () => {
    const access = await pool('OPTIONAL');
    const { ask, questions } = person();
    const first = await signIn(access, 'lea', PASSWORD, ask, NOW);
    expect(questions).toEqual([]);
    await enrolAuthenticator(access, first, ask);
    expect(questions[0]).toContain('otpauth://totp/Gatehouse%3Alea?secret=');
    const { session } = await signIn(access, 'lea', PASSWORD, ask, NOW);
    expect(questions.at(-1)).toBe('Code of your authenticator: ');
    expect(session).toMatchObject({ username: 'lea', clientId: access.clientId });
  });

  it('is refused with another code, with what to do', async () => {
    const access = await pool('OPTIONAL');
    const { ask } = person();
    await enrolAuthenticator(access, await signIn(access, 'lea', PASSWORD, ask, NOW), ask);
    const wrong = async (question: string) => ((await ask(question)) === '123456' ? '654321' : '123456');
    await expect(signIn(access, 'lea', PASSWORD, wrong, NOW)).rejects.toMatchObject({ refusal: { rule: 'mfa-code' } });
  });

  it('is refused with another password', async () => {
    const access = await pool('OPTIONAL');
    const { ask } = person();
    await expect(signIn(access, 'lea', 'Another-password-1', ask, NOW)).rejects.toMatchObject({
      refusal: { rule: 'signed-in' },
    });
  });
});
