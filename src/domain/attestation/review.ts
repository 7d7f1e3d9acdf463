import { type Refusal, refusal } from '../refusal/refusal.ts';
import { personOf } from '../control/person.ts';
import { type ForgeAccount, type ForgeReview, MOST_REVIEWS, type ReviewFinding } from './finding.ts';

/** Which accounts of a forge, and which e-mail addresses, are whose, by the user names of control's pool. */
export type KnownPeople = Readonly<
  Record<string, { readonly logins: readonly string[]; readonly emails?: readonly string[] | undefined }>
>;

/** The user of control's pool whose account it is, or undefined; logins and addresses are compared without case. */
export function userOf({ login, email }: ForgeAccount, people: KnownPeople): string | undefined {
  const same = (one: string, other: string | null): boolean => one.toLowerCase() === other?.toLowerCase();
  const found = Object.entries(people).filter(
    ([, { logins, emails = [] }]) =>
      logins.some((each) => same(each, login)) || emails.some((each) => same(each, email)),
  );
  return found.length === 1 ? found[0]?.[0] : undefined;
}

/**
 * A review by the names of control's people. An author whom nobody knows could be the reviewer: it is refused. A reviewer whom
 * nobody knows, and every robot, holds no role, so that an approval of theirs does not count; their objection does.
 */
export async function reviewByPeople(
  review: ForgeReview,
  people: KnownPeople,
  rolesOf: (username: string) => Promise<readonly string[]>,
): Promise<
  { readonly kind: 'known'; readonly finding: ReviewFinding } | { readonly kind: 'refused'; readonly refusal: Refusal }
> {
  const unknown = review.authors.filter((author) => userOf(author, people) === undefined);
  if (unknown.length > 0) {
    return {
      kind: 'refused',
      refusal: refusal('author-known', `nobody of control is ${unknown.map(accountText).join(', ')}`),
    };
  }
  const authors = [...new Set(review.authors.map((author) => personOf(userOf(author, people) ?? '')))].sort();
  const reviews = await Promise.all(
    review.reviews.map(async ({ by, state, head }) => {
      const user = by.isRobot ? undefined : userOf(by, people);
      return user === undefined
        ? { by: accountText(by), state, head, roles: [] }
        : { by: personOf(user), state, head, roles: [...(await rolesOf(user))] };
    }),
  );
  const { url, head, merged } = review;
  // Whoever may count, or objects, comes first: approvals of unknown accounts say nothing, and on a public repository there may be many.
  const told = reviews.toSorted((one, other) => weightOf(other) - weightOf(one)).slice(0, MOST_REVIEWS);
  return { kind: 'known', finding: { kind: 'review', url, authors, reviews: told, head, merged } };
}

const weightOf = ({ state, roles }: ReviewFinding['reviews'][number]): number =>
  state === 'changes-requested' ? 2 : Number(roles.length > 0);

function accountText({ login, email, isRobot }: ForgeAccount): string {
  return `${isRobot ? 'robot' : 'forge'}:${login ?? email ?? 'unknown'}`;
}
