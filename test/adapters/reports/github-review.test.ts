import { describe, expect, test } from 'vitest';
import { readReport } from '#adapters/reports/read-report.ts';
import { jsonOf, readSample } from './_samples.ts';

interface User {
  readonly id: number;
  readonly login: string;
  readonly type: string;
}
interface PullCommit {
  sha: string;
  commit: {
    author: { email: string };
    committer: { email: string };
    message: string;
    verification: { verified: boolean };
  };
  author: User | null | Record<string, never>;
  committer: User | null;
}
interface Report {
  pull: { user: User; merged_at: string | null; merge_commit_sha: string; head: { sha: string } };
  reviews: { user: User | null; state: string; commit_id: string | null; submitted_at?: string | undefined }[];
  commits: [PullCommit, PullCommit];
  merged: { sha: string };
  head: { sha: string };
}

const [merged, head, first] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const user = (id: number, login: string): User => ({ id, login, type: 'User' });
const person = (login: string | null, email: string | null = null): object => ({ login, email, isRobot: false });

/** What is read of the sample review after a change. */
function changed(change: (report: Report) => void): ReturnType<typeof readReport> {
  const report = jsonOf('github-review.json') as Report;
  change(report);
  return readReport(Buffer.from(JSON.stringify(report)));
}

const refused = (rule: string, found: string): unknown =>
  expect.objectContaining({ kind: 'refused', refusal: expect.objectContaining({ rule, found }) });
const authors = (...all: readonly object[]): unknown =>
  expect.objectContaining({ kind: 'read', findings: [expect.objectContaining({ authors: all })] });
const reviews = (...all: readonly object[]): unknown =>
  expect.objectContaining({ kind: 'read', findings: [expect.objectContaining({ reviews: all })] });

test('tells who wrote and who reviewed what was merged', () => {
  expect(readSample('github-review.json')).toEqual({
    kind: 'read',
    format: 'github-review',
    findings: [
      {
        kind: 'forge-review',
        url: 'https://github.com/example/churn/pull/12',
        // Paul reviewed, and a trailer says that he also wrote.
        authors: [person('maya', 'maya@example.org'), person('tom'), person('paul')],
        reviews: [
          { by: person('lena'), state: 'approved', head },
          { by: { login: 'review-helper[bot]', email: null, isRobot: true }, state: 'approved', head },
        ],
        head: { commit: head, tree: '2'.repeat(40) },
        merged: { commit: merged, tree: '2'.repeat(40) },
      },
    ],
    subjects: [merged],
  });
});

describe('the newest decision of a reviewer', () => {
  const by = user(102, 'lena');
  const review = (state: string, submitted_at: string, commit_id: string | null = head): Report['reviews'][number] => ({
    user: by,
    state,
    commit_id,
    submitted_at,
  });
  const approved = { by: person('lena'), state: 'approved', head };
  const objected = { by: person('lena'), state: 'changes-requested', head };
  const decided = (all: Report['reviews']): ReturnType<typeof readReport> =>
    changed((report) => {
      report.reviews = all;
      // Without a trailer, who reviewed wrote nothing.
      report.commits[1].commit.message = 'Mend';
    });
  const [early, late] = ['2026-11-29T09:00:00Z', '2026-11-30T09:00:00Z'];

  test.for<readonly [string, Report['reviews'], readonly object[]]>([
    ['an objection after an approval', [review('APPROVED', early), review('CHANGES_REQUESTED', late)], [objected]],
    ['in whatever order', [review('CHANGES_REQUESTED', late), review('APPROVED', early)], [objected]],
    ['a comment after it', [review('APPROVED', early), review('COMMENTED', late)], [approved]],
    ['a comment only', [review('COMMENTED', late)], []],
    ['one not sent yet', [{ ...review('PENDING', ''), submitted_at: undefined }], []],
    ['dismissed', [review('DISMISSED', early)], []],
    ['dismissed, after an older approval', [review('APPROVED', early), review('DISMISSED', late)], []],
    ['approved again after it was dismissed', [review('DISMISSED', early), review('APPROVED', late)], [approved]],
    ['of the same second', [review('APPROVED', late), review('CHANGES_REQUESTED', late)], [objected]],
  ])('%s', ([, all, expected]) => {
    expect(decided(all)).toEqual(reviews(...expected));
  });

  test.for<readonly [string, Report['reviews'], string, string]>([
    [
      'of nobody',
      [{ ...review('CHANGES_REQUESTED', late), user: null }],
      'report-complete',
      'github-review, reviews.0: the reviewer has no account any more',
    ],
    ['of no commit', [review('APPROVED', late, null)], 'report-complete', 'the review of lena names no commit'],
    [
      'at no time',
      [{ ...review('APPROVED', late), submitted_at: undefined }],
      'report-format',
      'github-review, reviews.0: submitted_at is missing',
    ],
    [
      'of more reviewers than are recorded',
      Array.from({ length: 101 }, (_, index) => ({ ...review('APPROVED', late), user: user(index + 1, `r${index}`) })),
      'report-fits',
      'pull request 12, reviews: Too big: expected array to have <=100 items',
    ],
  ])('is refused: %s', ([, all, rule, found]) => {
    expect(decided(all)).toEqual(refused(rule, found));
  });
});

describe('the merge', () => {
  test.for<readonly [string, (report: Report) => void, string]>([
    ['not merged', ({ pull }) => (pull.merged_at = null), 'pull request 12 is not merged'],
    [
      'merged as another commit',
      ({ pull }) => (pull.merge_commit_sha = first),
      `pull request 12 was merged as ${first}, not as ${merged}`,
    ],
    [
      'of another last commit',
      (report) => (report.head.sha = first),
      `pull request 12 ends with ${head}, not with ${first}`,
    ],
  ])('is refused: %s', ([, change, found]) => {
    expect(changed(change)).toEqual(refused('review-of-merge', found));
  });

  test('is refused where the list of commits lacks the last one', () => {
    expect(changed(({ commits }) => commits.pop())).toEqual(
      refused('report-complete', `pull request 12: its last commit ${head} is not listed`),
    );
  });

  test('is refused where the list of commits is as long as GitHub makes it', () => {
    const change = (report: Report): void => {
      report.commits = Array.from({ length: 250 }, () => report.commits[1]) as unknown as Report['commits'];
    };
    expect(changed(change)).toMatchObject({ kind: 'refused', refusal: { rule: 'report-fits' } });
  });
});

describe('an author', () => {
  const tom = '105+tom@users.noreply.github.com';
  const maya = person('maya', 'maya@example.org');

  test.for<readonly [string, (commits: Report['commits']) => void, readonly object[]]>([
    [
      'without an account is known by an address that is signed for',
      ([c]) => Object.assign(c, { author: null, committer: null }),
      [person('maya'), person(null, 'maya@example.org'), person('tom')],
    ],
    [
      'without an account, and nobody is an empty object',
      ([c]) => Object.assign(c, { author: {}, committer: null }),
      [person('maya'), person(null, 'maya@example.org'), person('tom')],
    ],
    [
      'without an account is known by the address that GitHub gave',
      ([, c]) => (c.author = null),
      [maya, person('tom')],
    ],
    [
      'of a trailer is known by number and login',
      ([, c]) => (c.commit.message = `Mend\n\nco-authored-by: T <${tom}>\nCo-Authored-By: <MAYA@example.org>\r\n`),
      [maya, person('tom')],
    ],
  ])('%s', ([, change, expected]) => {
    const answer = changed(({ commits }) => {
      commits[1].commit.message = 'Mend';
      change(commits);
    });
    expect(answer).toEqual(authors(...expected));
  });

  test.for<readonly [string, (commits: Report['commits']) => void, string]>([
    [
      'without an account, not signed',
      ([c]) => Object.assign(c, { author: null, commit: { ...c.commit, verification: { verified: false } } }),
      `commit ${first}: the author maya@example.org is not verified`,
    ],
    [
      'without an account, signed by another',
      ([c]) => Object.assign(c, { author: null, commit: { ...c.commit, committer: { email: 'eve@example.org' } } }),
      `commit ${first}: the author maya@example.org is not verified`,
    ],
    [
      'of an address that GitHub gave, not signed',
      ([, c]) => Object.assign(c, { author: null, commit: { ...c.commit, verification: { verified: false } } }),
      `commit ${head}: the author ${tom} is not verified`,
    ],
    [
      'committed by somebody without an account, not signed',
      ([c]) => Object.assign(c, { committer: null, commit: { ...c.commit, verification: { verified: false } } }),
      `commit ${first}: the author maya@example.org is not verified`,
    ],
    [
      'of an unsigned commit, whose account the forge tells by its address alone',
      ([c]) => (c.commit.verification.verified = false),
      `commit ${first}: the author maya@example.org is not verified`,
    ],
    [
      'committed by GitHub, which did not sign it',
      ([, c]) => (c.commit.verification.verified = false),
      `commit ${head}: the author 105+tom@users.noreply.github.com is not verified`,
    ],
    ...[
      ['of a trailer by an unknown address', 'Eve <eve@example.org>', 'eve@example.org'],
      ['of a trailer by an unknown login', 'Eve <eve@users.noreply.github.com>', 'eve@users.noreply.github.com'],
      [
        'of a trailer by a login with another number',
        'T <9+tom@users.noreply.github.com>',
        '9+tom@users.noreply.github.com',
      ],
      ['of a trailer without an address', 'Eve', 'eve'],
    ].map(
      ([name = '', trailer, found]) =>
        [
          name,
          ([, c]: Report['commits']) => (c.commit.message = `Mend\n\nCo-authored-by: ${trailer}\n`),
          `commit ${head}: the co-author ${found} is not verified`,
        ] as const,
    ),
  ])('is refused: %s', ([, change, found]) => {
    expect(changed(({ commits }) => change(commits))).toEqual(refused('review-authors-verified', found));
  });

  test('is refused where there are more than are recorded', () => {
    const answer = changed((report) => {
      const commits = Array.from({ length: 11 }, (_, index) => ({
        ...report.commits[0],
        author: user(200 + index, `w${index}`),
      }));
      report.commits = [...commits, report.commits[1]] as unknown as Report['commits'];
    });
    expect(answer).toMatchObject({ kind: 'refused', refusal: { rule: 'report-fits' } });
  });

  test('of a robot is one', () => {
    const robot = { id: 7, login: 'renovate[bot]', type: 'Bot' };
    expect(
      changed(({ pull, commits, reviews }) => {
        pull.user = robot;
        reviews.length = 0;
        commits.shift();
        Object.assign(commits[0], { author: robot });
        commits[0].commit.message = 'Update';
      }),
    ).toEqual(authors({ login: 'renovate[bot]', email: null, isRobot: true }));
  });
});
