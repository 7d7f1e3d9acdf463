// `node scripts/review-of-commit.ts OWNER/REPOSITORY COMMIT`: prints what GitHub says of the review that led to a commit, as the
// report `github-review` of `gatehouse attest code-review`. It asks by `gh api`, and composes; it judges nothing.
import { execFileSync } from 'node:child_process';

interface Pull {
  readonly number: number;
  readonly merged_at: string | null;
  readonly merge_commit_sha: string | null;
  readonly head: { readonly sha: string };
}

/** Twice the largest report that is read. */
const ANSWER_BYTES = 8 * 1024 * 1024;

const [repository = '', commit = '', ...more] = process.argv.slice(2);
if (!/^[\w.-]+\/[\w.-]+$/.test(repository) || !/^[0-9a-f]{40}$/.test(commit) || more.length > 0)
  fail('usage: node scripts/review-of-commit.ts OWNER/REPOSITORY COMMIT');

const merged = (list(`commits/${commit}/pulls`) as readonly Pull[]).filter(
  (pull) => pull.merged_at !== null && pull.merge_commit_sha === commit,
);
const [pull, other] = merged;
if (pull === undefined)
  fail(`no merged pull request made ${commit}; what is pushed without one has no review that could be attested`);
if (other !== undefined)
  fail(`${commit} was made by several pull requests: ${merged.map(({ number }) => number).join(', ')}`);

const report = {
  pull,
  reviews: list(`pulls/${pull.number}/reviews`),
  commits: list(`pulls/${pull.number}/commits`),
  merged: ask(`git/commits/${commit}`),
  head: ask(`git/commits/${pull.head.sha}`),
};
console.log(JSON.stringify(report));

/** The whole list of an address that answers in pages. */
function list(path: string): readonly unknown[] {
  const pages = ask(`${path}?per_page=100`, '--paginate', '--slurp') as readonly (readonly unknown[])[];
  return pages.flat();
}

/** What GitHub answers. Where it does not, `gh` has said why. */
function ask(path: string, ...options: readonly string[]): unknown {
  try {
    const args = ['api', ...options, `repos/${repository}/${path}`];
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    return JSON.parse(execFileSync('gh', args, { encoding: 'utf8', maxBuffer: ANSWER_BYTES, stdio: [...stdio] }));
  } catch (error) {
    return fail(`GitHub did not answer ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function fail(why: string): never {
  console.error(`review-of-commit: ${why}`);
  process.exit(1);
}
