import { ForgeReview } from '#domain/attestation/finding.ts';
import { accountOf, authorsOf } from './github-authors.ts';
import { GithubReview, type Review, type User } from './github-shapes.ts';
import { type Reading, type Refused, refused, said, shaped } from './reading.ts';

interface Decision {
  readonly user: User;
  readonly state: 'approved' | 'changes-requested';
  readonly head: string;
}

/** The review of the pull request whose merge made a commit, as GitHub tells it; its subject is that commit. */
export function readGithubReview(value: unknown): Reading {
  const report = shaped(GithubReview, value, 'github-review');
  if (report.kind === 'refused') return report;
  const { pull, reviews, commits, merged, head } = report.value;
  const name = `pull request ${pull.number}`;
  if (pull.merged_at === null) return notOfMerge(`${name} is not merged`);
  if (pull.merge_commit_sha !== merged.sha)
    return notOfMerge(`${name} was merged as ${pull.merge_commit_sha}, not as ${merged.sha}`);
  if (pull.head.sha !== head.sha) return notOfMerge(`${name} ends with ${pull.head.sha}, not with ${head.sha}`);
  if (!commits.some(({ sha }) => sha === head.sha))
    return refused('report-complete', `${name}: its last commit ${head.sha} is not listed`, 'list all of its commits');

  const decisions = decisionsOf(reviews);
  if (!Array.isArray(decisions)) return decisions;
  const authors = authorsOf(
    pull.user,
    commits,
    reviews.flatMap(({ user }) => user ?? []),
  );
  if (authors.kind === 'refused') return authors;
  const finding = shaped(
    ForgeReview,
    {
      kind: 'forge-review',
      url: pull.html_url,
      authors: authors.authors,
      reviews: decisions.map(({ user, state, head }) => ({ by: accountOf(user), state, head })),
      head: { commit: head.sha, tree: head.tree.sha },
      merged: { commit: merged.sha, tree: merged.tree.sha },
    },
    name,
  );
  return finding.kind === 'refused' ? finding : { ...said(finding.value), subjects: [merged.sha] };
}

function notOfMerge(found: string): Refused {
  return refused('review-of-merge', found, 'compose the report again, of the pull request that made the commit');
}

/** The newest decision of each reviewer; a comment decides nothing, and what was dismissed is no decision any more. */
function decisionsOf(reviews: readonly Review[]): Decision[] | Refused {
  const newest = new Map<number, { readonly review: Review; readonly at: number; readonly user: User }>();
  for (const [index, review] of reviews.entries()) {
    if (review.state === 'COMMENTED' || review.state === 'PENDING') continue;
    const where = `github-review, reviews.${index}`;
    if (review.user === null)
      return refused('report-complete', `${where}: the reviewer has no account any more`, 'have it reviewed again');
    const at = Date.parse(review.submitted_at ?? '');
    if (Number.isNaN(at))
      return refused('report-format', `${where}: submitted_at is missing`, 'attest what GitHub says');
    const before = newest.get(review.user.id);
    // Of two at the same second the later in the list is the newer: GitHub lists them in order.
    if (before === undefined || at >= before.at) newest.set(review.user.id, { review, at, user: review.user });
  }
  const decisions: Decision[] = [];
  for (const { review, user } of newest.values()) {
    if (review.state === 'DISMISSED') continue;
    if (review.commit_id === null)
      return refused('report-complete', `the review of ${user.login} names no commit`, 'have it reviewed again');
    const state = review.state === 'APPROVED' ? 'approved' : 'changes-requested';
    decisions.push({ user, state, head: review.commit_id });
  }
  return decisions;
}
