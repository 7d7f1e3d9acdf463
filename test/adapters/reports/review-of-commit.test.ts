import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readReport } from '#adapters/reports/read-report.ts';
import { jsonOf, readSample } from './_samples.ts';

const ROOT = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-review-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [merged, head] = ['a', 'b'].map((digit) => digit.repeat(40)) as [string, string];
const sample = jsonOf('github-review.json') as Record<'pull' | 'reviews' | 'commits' | 'merged' | 'head', object>;
const { reviews, commits } = sample as unknown as Record<'reviews' | 'commits', readonly object[]>;

/** Answers as `gh api` does, each call from a file that is named by it, and what has no file with an error. */
const GH = `#!/bin/sh
answer="$(dirname "$0")/$(printf %s "$*" | tr -c 'a-z0-9' _).json"
test -f "$answer" || { echo 'gh: Not Found (HTTP 404)' >&2; exit 1; }
cat "$answer"
`;
const paged = (path: string): string => `api --paginate --slurp repos/example/churn/${path}?per_page=100`;
const answers = {
  [paged(`commits/${merged}/pulls`)]: [[{ ...sample.pull, number: 11, merge_commit_sha: head }, sample.pull]],
  [paged('pulls/12/reviews')]: [reviews.slice(0, 3), reviews.slice(3)],
  [paged('pulls/12/commits')]: [commits],
  [`api repos/example/churn/git/commits/${merged}`]: sample.merged,
  [`api repos/example/churn/git/commits/${head}`]: sample.head,
};

function answering(all: object): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  writeFileSync(join(folder, 'gh'), GH, { mode: 0o755 });
  for (const [call, answer] of Object.entries(all))
    writeFileSync(join(folder, `${call.replaceAll(/[^a-z0-9]/g, '_')}.json`), JSON.stringify(answer));
}
beforeEach(() => answering(answers));

const run = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: [folder, process.env['PATH']].join(delimiter),
      GITHUB_REPOSITORY: 'example/churn',
      GITHUB_SHA: merged,
    },
  });
const compose = (...args: readonly string[]) => run(process.execPath, 'scripts/review-of-commit.ts', ...args);

describe('the review of a commit', () => {
  test('is composed by the line of the workflow as it stands, and read', () => {
    const { jobs } = parse(readFileSync(join(ROOT, '.github/workflows/attest.yml'), 'utf8')) as {
      jobs: { attest: { steps: { id?: string; run: string }[] } };
    };
    const line = jobs.attest.steps.find(({ id }) => id === 'review')?.run ?? '';
    const file = join(folder, 'code-review.json');
    expect(run('bash', '-e', '-c', line.replace('> code-review.json', `> ${file}`))).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(readReport(readFileSync(file), 'github-review')).toEqual(readSample('github-review.json'));
  });

  test.for([
    [
      'no pull request made the commit',
      { ...answers, [paged(`commits/${merged}/pulls`)]: [[]] },
      `no merged pull request made ${merged}`,
    ],
    [
      'the pull request is open',
      { ...answers, [paged(`commits/${merged}/pulls`)]: [[{ ...sample.pull, merged_at: null }]] },
      `no merged pull request made ${merged}`,
    ],
    [
      'two made it',
      { ...answers, [paged(`commits/${merged}/pulls`)]: [[sample.pull, sample.pull]] },
      `${merged} was made by several`,
    ],
    [
      'GitHub does not answer',
      {},
      `gh: Not Found (HTTP 404)\nreview-of-commit: GitHub did not answer commits/${merged}/pulls`,
    ],
  ] as const)('is not composed where %s', ([, all, why]) => {
    answering(all);
    const { status, stdout, stderr } = compose('example/churn', merged);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(why);
  });

  test('needs a repository and a commit', () => {
    expect(compose('example/churn', 'main')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('usage:'),
    });
  });
});
