import { z } from 'zod';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { readReport } from '#adapters/reports/read-report.ts';
import type { AttestedGate } from '#domain/attestation/attestation.ts';
import type { KnownPeople } from '#domain/attestation/review.ts';
import { recordOf } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { RULE } from '#test/domain/gates/_attestations.ts';
import type { ReadReport } from '#use-cases/control/attest.ts';
import { deployed as toys, policy } from '../_environments.ts';
import { attestationsApi } from '../../../lambdas/attestations/api.ts';
import { control } from './_control.ts';
import { type Signing, tokenOf, tokens } from './_jobs.ts';

export const MODEL = 'toy';
const [toy] = toys.models;
if (toy === undefined) throw new Error('no model');
const deployed = { ...toys, models: [{ ...toy, policy: { ...policy, attestations: RULE } }] };
export const PASSING = '<testsuite name="all" tests="1"><testcase name="adds"/></testsuite>';
export const FAILING =
  '<testsuite name="all" tests="1" failures="1"><testcase name="adds"><failure/></testcase></testsuite>';

const KNOWN: KnownPeople = { ann: { logins: ['Maya', 'tom'] }, eng: { logins: ['paul'] }, lea: { logins: ['lena'] } };

/** Control's API of attestations: what a job or a person sends is answered with its status, or the rule that refuses. */
export function attesting(people: KnownPeople = KNOWN, reading: ReadReport = readReport) {
  const here = control();
  const reports = memoryArtifactStore();
  const deps = { ...here, deployed, people, servers: { github: 'https://github.com' }, reports, readReport: reading };
  const app = attestationsApi({ ...deps, tokens: tokens(here.clock) });
  const post = async (path: string, token: string, body: object, event: object = {}) => {
    const response = await app.request(
      path,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      },
      { event },
    );
    const said = z.record(z.string(), z.unknown()).parse(await response.json());
    const refusal = z.object({ refusal: z.object({ rule: z.string() }) }).safeParse(said).data;
    return refusal?.refusal.rule ?? response.status;
  };
  return {
    ...here,
    reports,
    /** A job attests; what is answered is the status, or the rule that refuses. */
    job: async (body: object, claims: object = {}, signing: Signing = {}) =>
      post('/attestations/github', await tokenOf(here.clock.at, claims, signing), body),
    token: (token: string, body: object) => post('/attestations/github', token, body),
    person: (username: string, body: object) => {
      const claims = { 'cognito:username': username, token_use: 'id' };
      return post('/attestations', '', body, { requestContext: { authorizer: { jwt: { claims } } } });
    },
    nobody: (body: object) => post('/attestations', '', body),
    async attested() {
      const items = await here.ledger.query(keys.chainBucket(MODEL, 0));
      return items.map((item) => recordOf(item).record).filter(({ code }) => code === 'ATTESTED');
    },
  };
}

/** What is sent of a report. */
export const of = (report: string | Uint8Array, gate: AttestedGate = 'unit-tests', more: object = {}) => ({
  gate,
  report: Buffer.from(report).toString('base64'),
  ...more,
});
