import { z } from 'zod';
import type { ForgeAccount } from '#domain/attestation/finding.ts';
import type { PullCommit, User } from './github-shapes.ts';
import { type Refused, refused } from './reading.ts';

type Authors = { readonly kind: 'authors'; readonly authors: readonly ForgeAccount[] } | Refused;

const REMEDY = 'sign commits with keys that the forge knows, of addresses that it has verified';
const Email = z.email().max(120);

/** `ID+LOGIN@users.noreply.github.com`, before 2017 without the number. */
const NOREPLY = /^(?:(\d{1,12})\+)?([a-z0-9-]{1,39}(?:\[bot\])?)@users\.noreply\.github\.com$/i;
const TRAILER = /^[ \t]*co-authored-by[ \t]*:(.*)$/gim;

/** An account as a finding has it. */
export function accountOf({ login, type }: User, email: string | null = null): ForgeAccount {
  return { login, email, isRobot: type === 'Bot' };
}

/**
 * Everybody who wrote something of what was merged: who opened the pull request, and the authors, committers and co-authors of its
 * commits. Git lets a committer write whatever name and address, so an address counts where the commit's signature is of it.
 * GitHub verifies no `Co-authored-by`: a co-author is somebody whom the report knows already, or the commit is refused.
 */
export function authorsOf(opened: User, commits: readonly PullCommit[], reviewers: readonly User[]): Authors {
  const found: ForgeAccount[] = [accountOf(opened)];
  for (const each of commits) {
    const author = authorOf(each);
    if (author === undefined) return unknown(each, 'the author', each.commit.author.email);
    found.push(author);
    const committer = committerOf(each);
    if (committer === undefined) return unknown(each, 'the committer', each.commit.committer.email);
    if (committer !== 'forge') found.push(committer);
  }
  const users = [opened, ...reviewers, ...commits.flatMap(({ author, committer }) => [author, committer])];
  const known = users.filter((user) => user !== null);
  const verified = [...found];
  const coAuthors = new Set<string>();
  for (const each of commits)
    for (const [, trailer = ''] of each.commit.message.matchAll(TRAILER)) {
      const email = (/<([^<>]*)>[ \t]*$/.exec(trailer)?.[1] ?? trailer).trim().toLowerCase();
      if (coAuthors.has(email)) continue;
      coAuthors.add(email);
      const coAuthor = coAuthorOf(email, known, verified);
      if (coAuthor === undefined) return unknown(each, 'the co-author', email);
      found.push(coAuthor);
    }
  return { kind: 'authors', authors: distinct(found) };
}

function unknown({ sha }: PullCommit, who: string, email: string): Refused {
  return refused('review-authors-verified', `commit ${sha}: ${who} ${email} is not verified`, REMEDY);
}

function authorOf({ author, commit, committer }: PullCommit): ForgeAccount | undefined {
  // The signature is the committer's; what the forge itself commits and signs, it does for the author.
  const vouched =
    commit.verification.verified && (sameText(commit.author.email, commit.committer.email) || isForge(committer));
  return named(author, commit.author.email, vouched);
}

/** The committer, or `forge` where that is GitHub itself, which signs what it commits. */
function committerOf({ commit, committer }: PullCommit): ForgeAccount | 'forge' | undefined {
  const { verified } = commit.verification;
  if (!isForge(committer)) return named(committer, commit.committer.email, verified);
  return verified ? 'forge' : undefined;
}

const isForge = (committer: User | null): boolean => committer?.login === 'web-flow';

/** An account by its login, or by its address where that is vouched for. */
function named(user: User | null, address: string, vouched: boolean): ForgeAccount | undefined {
  const noreply = NOREPLY.exec(address)?.[2];
  const email = vouched && noreply === undefined && Email.safeParse(address).success ? address : null;
  // The forge tells an account by the address of a commit, which anybody may write who does not sign it.
  if (!vouched) return undefined;
  if (user !== null) return accountOf(user, email);
  if (noreply !== undefined) return { login: noreply, email: null, isRobot: noreply.endsWith('[bot]') };
  return email === null ? undefined : { login: null, email, isRobot: false };
}

function coAuthorOf(
  email: string,
  known: readonly User[],
  verified: readonly ForgeAccount[],
): ForgeAccount | undefined {
  const [, id, login] = NOREPLY.exec(email) ?? [];
  if (login === undefined) return verified.find((each) => each.email !== null && sameText(each.email, email));
  const user = known.find((each) => sameText(each.login, login) && (id === undefined || Number(id) === each.id));
  return user === undefined ? undefined : accountOf(user);
}

const sameText = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Each account once; without an address only where it has none anywhere. */
function distinct(accounts: readonly ForgeAccount[]): readonly ForgeAccount[] {
  const keyOf = ({ login, email }: ForgeAccount): string => JSON.stringify([login, email]).toLowerCase();
  const withAddress = new Set(accounts.flatMap(({ login, email }) => (email === null ? [] : [login?.toLowerCase()])));
  const byKey = new Map(
    accounts
      .filter(({ login, email }) => email !== null || !withAddress.has(login?.toLowerCase()))
      .map((account) => [keyOf(account), account]),
  );
  return [...byKey.values()];
}
