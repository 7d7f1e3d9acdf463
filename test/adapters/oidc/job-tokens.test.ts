import { generateKeyPair } from 'jose';
import { expect, it } from 'vitest';
import { JOB, type Signing, tokenOf, tokens } from '#test/use-cases/control/_jobs.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const known = tokens({ now: () => new Date(NOW) });
const seconds = NOW / 1000;
const other = await generateKeyPair('RS256');
const pss = await generateKeyPair('PS256');

it('believes what its issuer has signed', async () => {
  expect(await known.verify('github', await tokenOf(NOW))).toMatchObject({ kind: 'verified', claims: JOB });
});

it.each<readonly [string, object, Signing]>([
  ['of another audience', {}, { audience: 'sts.amazonaws.com' }],
  ['of another issuer', {}, { issuer: 'https://evil.example.com' }],
  ['that has expired', {}, { issuedAt: seconds - 400 }],
  ['that lives for days, and is old', {}, { issuedAt: seconds - 3600, expiresIn: 864_000 }],
  ['of the future', {}, { issuedAt: seconds + 3600 }],
  ['that somebody else has signed', {}, { key: other.privateKey }],
  ['that is signed by another algorithm', {}, { alg: 'PS256', key: pss.privateKey }],
  [
    'that is signed by a shared secret',
    {},
    { alg: 'HS256', key: new TextEncoder().encode('a secret of 32 bytes or some more') },
  ],
  ['without an identity of its own', {}, { jti: null }],
  ['without a commit', { sha: undefined }, {}],
  ['whose commit is a name', { sha: 'main' }, {}],
  ['without protection', { ref_protected: undefined }, {}],
  ['whose actor would not be seen', { actor: 'a\u202Eb' }, {}],
])('refuses a token %s', async (_what, claims, signing) => {
  expect(await known.verify('github', await tokenOf(NOW, claims, signing))).toMatchObject({
    kind: 'refused',
    refusal: { rule: 'token-valid' },
  });
});

it('refuses what nobody has signed, and what is no token', async () => {
  const [, payload = ''] = (await tokenOf(NOW)).split('.');
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
  for (const token of [none, '', 'a.b.c', 'x'.repeat(9000)])
    expect((await known.verify('github', token)).kind, token.slice(0, 20)).toBe('refused');
});

it('refuses an issuer that nobody has named', async () => {
  expect((await known.verify('gitlab', await tokenOf(NOW))).kind).toBe('refused');
});
