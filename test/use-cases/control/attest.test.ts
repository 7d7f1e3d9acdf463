import { describe, expect, it } from 'vitest';
import type { ForgeReview } from '#domain/attestation/finding.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { sample } from '#test/adapters/reports/_samples.ts';
import { COMMIT, OTHER } from '#test/domain/gates/_attestations.ts';
import { attesting, FAILING, MODEL, of, PASSING } from './_attesting.ts';
import { hours, RELEASE } from './_control.ts';
import { tokenOf } from './_jobs.ts';

describe('a job', () => {
  it('attests the commit of its token, with its run, in the chain of each model that names it', async () => {
    const here = attesting();
    expect(await here.job(of(PASSING, 'unit-tests', { commit: COMMIT }))).toBe(201);
    const [record, ...others] = await here.attested();
    if (record === undefined) throw new Error('nothing was attested');
    expect(others).toEqual([]);
    expect(record).toMatchObject({ actor: 'ci:github', release: null });
    const details = detailsOf(record, 'ATTESTED');
    expect(details).toMatchObject({
      gate: 'unit-tests',
      commit: COMMIT,
      producer: { kind: 'ci', run: 'https://github.com/acme/models/actions/runs/1001/attempts/1' },
      finding: { kind: 'tests', passed: 1, failed: 0 },
    });
    expect(Buffer.from(await here.reports.read(details.report)).toString()).toBe(PASSING);
  });

  it.each([
    ['an unprotected branch', { ref_protected: 'false' }, 'ref-protected'],
    ['a pull request', { event_name: 'pull_request', ref: 'refs/pull/7/merge' }, 'commit-pushed'],
    ['a tag', { ref: 'refs/tags/v1' }, 'commit-pushed'],
    ['another branch', { ref: 'refs/heads/other' }, 'producer-known'],
    ['another repository', { repository_id: '43' }, 'producer-known'],
    ['a repository that took the name of ours', { repository_id: '999', repository: 'acme/models' }, 'producer-known'],
    [
      'another workflow',
      { job_workflow_ref: 'acme/models/.github/workflows/ci.yml@refs/heads/main' },
      'producer-known',
    ],
    [
      'the workflow of another repository',
      { job_workflow_ref: 'evil/models/.github/workflows/attest.yml@refs/heads/main' },
      'producer-known',
    ],
    [
      'the workflow as a branch has it',
      { job_workflow_ref: 'acme/models/.github/workflows/attest.yml@refs/heads/evil' },
      'producer-known',
    ],
  ])('of %s attests nothing', async (_what, claims, rule) => {
    const here = attesting();
    expect(await here.job(of(PASSING), claims)).toBe(rule);
    expect(await here.attested()).toEqual([]);
  });

  it.each([
    ['of another audience', { audience: 'other' }],
    ['of another issuer', { issuer: 'https://evil.example.com' }],
    ['that has expired', { issuedAt: 1 }],
  ])('with a token %s attests nothing, whatever an authorizer has let through', async (_what, signing) => {
    const here = attesting();
    expect(await here.job(of(PASSING), {}, signing)).toBe('token-valid');
    expect(await here.attested()).toEqual([]);
  });

  it('attests no other commit than its own, and no release as one', async () => {
    const here = attesting();
    expect(await here.job(of(PASSING, 'unit-tests', { commit: OTHER }))).toBe('attestation-subject');
    expect(await here.job(of(PASSING, 'unit-tests', { release: RELEASE, model: MODEL }))).toBe('attestation-subject');
  });

  it('attests for no gate for which its policy does not name it, and by no report of another', async () => {
    const here = attesting();
    expect(await here.job(of(sample('k6-summary-export.json'), 'load', { release: RELEASE, model: MODEL }))).toBe(
      'producer-known',
    );
    expect(await here.job(of(PASSING, 'security-scan'))).toBe('report-format');
  });

  it('attests one report by a token: a stolen one is worth no other', async () => {
    const here = attesting();
    const token = await tokenOf(here.clock.at);
    expect(await here.token(token, of(PASSING))).toBe(201);
    expect(await here.token(token, of(PASSING))).toBe(201);
    expect(await here.token(token, of(sample('pip-audit.json'), 'security-scan'))).toBe('token-once');
    expect(await here.attested()).toHaveLength(1);
  });

  it('says of its run one thing: no second report replaces one that fails', async () => {
    const here = attesting();
    expect(await here.job(of(FAILING))).toBe(201);
    for (let time = 0; time < 25; time += 1) expect(await here.job(of(PASSING))).toBe('attested-once');
    expect(await here.attested()).toHaveLength(1);
    expect(await here.job(of(PASSING), { run_attempt: '2' })).toBe(201);
  });

  it.each([
    ['that no store takes', '1e16'],
    ['that is no number', '1e400'],
    ['below zero', '-1'],
  ])('attests no figure %s', async (_what, value) => {
    const here = attesting();
    const text = sample('autocannon.json').toString();
    const report = text.replace('"p99": 6,', `"p99": ${value},`);
    expect(report).not.toBe(text);
    const answered = await here.person('lea', of(report, 'load', { release: RELEASE, model: MODEL }));
    expect(answered).toMatch(/^report-/);
    expect(await here.attested()).toEqual([]);
  });

  it('goes on where an answer got lost, with a new token', async () => {
    const here = attesting();
    const body = of(sample('several.sarif.json'), 'security-scan');
    const transact = here.ledger.transact.bind(here.ledger);
    let count = 0;
    here.ledger.transact = async (...given) => {
      count += 1;
      if (count === 2) throw new Error('no answer');
      return transact(...given);
    };
    await expect(here.job(body)).rejects.toThrow();
    expect(await here.attested()).toHaveLength(1);
    expect(await here.job(body)).toBe(201);
    expect((await here.attested()).length).toBeGreaterThan(1);
  });

  it('refuses the second of two that say other things at the same time', async () => {
    const here = attesting();
    const answers = await Promise.all([here.job(of(PASSING)), here.job(of(FAILING))]);
    expect(answers.map(String).toSorted()).toEqual(['201', 'attested-once']);
    expect(await here.attested()).toHaveLength(1);
  });

  it('stores no report of what is refused', async () => {
    const here = attesting();
    expect(await here.job(of(FAILING))).toBe(201);
    const stored = here.reports.objects.size;
    expect(await here.job(of(PASSING))).toBe('attested-once');
    expect(here.reports.objects.size).toBe(stored);
  });

  it('attests each tool of a SARIF', async () => {
    const here = attesting();
    expect(await here.job(of(sample('several.sarif.json'), 'security-scan'))).toBe(201);
    const records = await here.attested();
    expect(records.length).toBeGreaterThan(1);
    expect(await here.job(of(sample('pip-audit.json'), 'security-scan'))).toBe(201);
    expect(await here.attested()).toHaveLength(records.length + 1);
  });

  it('attests no report of another commit', async () => {
    expect(await attesting().job(of(sample('test-result.json')))).toBe('attestation-subject');
    const review = of(sample('github-review.json'), 'code-review');
    expect(await attesting().job(review, { sha: OTHER })).toBe('attestation-subject');
  });

  it('attests a review by the names of control’s people', async () => {
    const here = attesting();
    expect(await here.job(of(sample('github-review.json'), 'code-review'))).toBe(201);
    const [record] = await here.attested();
    // The author whom two names meet is one person, the robot holds no role.
    expect(record?.details).toMatchObject({
      finding: {
        authors: ['person:ann', 'person:eng'],
        reviews: [
          { by: 'person:lea', state: 'approved', roles: ['ml-lead'] },
          { by: 'robot:review-helper[bot]', state: 'approved', roles: [] },
        ],
      },
    });
  });

  it('attests nothing that no record takes', async () => {
    const account = (login: string) => ({ login, email: null, isRobot: false });
    const approval = (nth: number) => ({
      by: account(`${'r'.repeat(70)}${nth}`),
      state: 'approved' as const,
      head: OTHER,
    });
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((letter) => letter.repeat(120));
    const review: ForgeReview = {
      kind: 'forge-review',
      url: 'https://github.com/acme/models/pull/7',
      authors: names.map((_, nth) => account(`author-${nth}`)),
      reviews: Array.from({ length: 8 }, (_, nth) => approval(nth)),
      head: { commit: OTHER, tree: OTHER },
      merged: { commit: COMMIT, tree: OTHER },
    };
    const here = attesting(Object.fromEntries(names.map((name, nth) => [name, { logins: [`author-${nth}`] }])), () => ({
      kind: 'read',
      format: 'github-review',
      findings: [review],
      subjects: [],
    }));
    expect(await here.job(of('{}', 'code-review'))).toBe('attestation-fits');
    expect(await here.attested()).toEqual([]);
  });

  it('attests no review of an author whom nobody knows', async () => {
    const here = attesting();
    const text = sample('github-review.json').toString().replaceAll('"maya"', '"mallory"');
    expect(await here.job(of(text, 'code-review'))).toBe('author-known');
    expect(await here.attested()).toEqual([]);
  });
});

describe('a person', () => {
  it('makes a claim, which is recorded as one', async () => {
    const here = attesting();
    expect(await here.person('lea', of(PASSING, 'unit-tests', { commit: COMMIT }))).toBe(201);
    expect(await here.attested()).toMatchObject([
      { actor: 'person:lea', details: { producer: { kind: 'person', subject: 'person:lea' } } },
    ]);
    // Twice the same is once; what has changed within the hour is not taken.
    expect(await here.person('lea', of(PASSING, 'unit-tests', { commit: COMMIT }))).toBe(201);
    expect(await here.person('lea', of(FAILING, 'unit-tests', { commit: COMMIT }))).toBe('attested-once');
    here.clock.at += hours(1);
    expect(await here.person('lea', of(FAILING, 'unit-tests', { commit: COMMIT }))).toBe(201);
    expect(await here.attested()).toHaveLength(2);
  });

  it.each([
    ['nothing', {}, 'attestation-subject'],
    ['two things', { commit: COMMIT, release: RELEASE }, 'attestation-subject'],
    ['a release of no model', { release: RELEASE }, 'attestation-subject'],
    ['a model that is not deployed', { commit: COMMIT, model: 'other' }, 'model-known'],
    ['a commit that is none', { commit: 'main' }, 'well-formed'],
  ])('attests of %s nothing', async (_what, more, rule) => {
    expect(await attesting().person('lea', of(PASSING, 'unit-tests', more))).toBe(rule);
  });

  it('holds a role, and makes so many claims in an hour', async () => {
    const here = attesting();
    expect(await here.person('nobody', of(PASSING, 'unit-tests', { commit: COMMIT }))).toBe('attester-role');
    const claim = (nth: number) =>
      here.person('lea', of(PASSING, 'unit-tests', { commit: nth.toString(16).padStart(40, '0') }));
    for (let nth = 0; nth < 20; nth += 1) expect(await claim(nth)).toBe(201);
    expect(await claim(20)).toBe('claims-limited');
    // What was claimed already is no other claim.
    expect(await claim(3)).toBe(201);
    expect(await here.attested()).toHaveLength(20);
    here.clock.at += hours(1);
    expect(await claim(20)).toBe(201);
  });

  it('is signed in', async () => {
    expect(await attesting().nobody(of(PASSING, 'unit-tests', { commit: COMMIT }))).toBe('signed-in');
  });
});

it('refuses what is too large, with its limit', async () => {
  const large = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
  expect(await attesting().person('lea', of(large, 'unit-tests', { commit: COMMIT }))).toBe('report-size');
});
