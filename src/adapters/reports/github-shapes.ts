import { z } from 'zod';
import { Commit } from '#domain/attestation/finding.ts';

/** GitHub lists no more commits of a pull request. Source: https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request */
const COMMITS = 250;

/** An account. What has none any more, or never had one, is null. */
const User = z.object({ id: z.int().positive(), login: z.string().min(1).max(80), type: z.string() });
/** GitHub may also answer an empty object for nobody. */
const Somebody = z.union([User, z.strictObject({}).transform(() => null)]).nullable();
export type User = z.infer<typeof User>;

const GitCommit = z.object({ sha: Commit, tree: z.object({ sha: Commit }) });

/** Who an author or committer says to be. */
const Signature = z.object({ email: z.string().max(320) });

const PullCommit = z.object({
  sha: Commit,
  commit: z.object({
    author: Signature,
    committer: Signature,
    message: z.string(),
    verification: z.object({ verified: z.boolean() }),
  }),
  author: Somebody,
  committer: Somebody,
});
export type PullCommit = z.infer<typeof PullCommit>;

const Review = z.object({
  user: User.nullable(),
  state: z.enum(['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING']),
  commit_id: Commit.nullable(),
  submitted_at: z.iso.datetime().nullish(),
});
export type Review = z.infer<typeof Review>;

/**
 * What a workflow composes of GitHub's answers, each as it came: `pull` of `/commits/SHA/pulls`, `reviews` and `commits` of
 * `/pulls/N/reviews` and `/pulls/N/commits`, `merged` and `head` of `/git/commits/SHA`.
 * Source: https://docs.github.com/en/rest
 */
export const GithubReview = z.object({
  pull: z.object({
    number: z.int().positive(),
    html_url: z.url({ protocol: /^https$/ }).max(200),
    user: User,
    merged_at: z.iso.datetime().nullable(),
    merge_commit_sha: Commit.nullable(),
    head: z.object({ sha: Commit }),
  }),
  reviews: z.array(Review).max(1000),
  // A list that is as long as GitHub makes it may have been cut.
  commits: z
    .array(PullCommit)
    .min(1)
    .max(COMMITS - 1),
  merged: GitCommit,
  head: GitCommit,
});
