import type { ReviewFinding } from '../../attestation/finding.ts';
import type { Role } from '../../policy/role.ts';
import { type AttestedCase, fails, judgeNewest } from '../attested.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What would turn its verdict. */
export const codeReviewRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL'
    ? 'let somebody review it who has not written it, merge it from a branch that is up to date, and train anew'
    : 'let CI attest the review of the commit';

/** Was the commit reviewed by somebody else than its authors, and is what was reviewed what was merged? */
export function codeReview(given: AttestedCase): GateResult {
  const { roles, count } = given.rule.codeReview;
  return judgeNewest('code-review', given, 'review', null, ({ finding }) =>
    judgeReview(finding, { roles, count }, given.subjects.commit),
  );
}

function judgeReview(
  { authors, reviews, head, merged, url }: ReviewFinding,
  { roles, count }: { readonly roles: readonly Role[]; readonly count: number },
  commit: string | null,
): GateResult {
  const named: readonly string[] = roles;
  const approvals = reviews.filter(
    ({ by, state, head: reviewed, roles: held }) =>
      state === 'approved' &&
      reviewed === head.commit &&
      !authors.includes(by) &&
      held.some((role) => named.includes(role)),
  );
  const numbers = { approvals: new Set(approvals.map(({ by }) => by)).size, authors: authors.length };
  const against = reviews.filter(({ state }) => state === 'changes-requested').map(({ by }) => by);
  const rest = reviews.filter((each) => each.state === 'approved' && !approvals.includes(each));
  const wrong = [
    ...(merged.commit === commit ? [] : [`it is the review of ${merged.commit}, not of ${commit ?? 'any commit'}`]),
    ...(head.tree === merged.tree
      ? []
      : [`what was merged is not what was reviewed: tree ${merged.tree}, reviewed ${head.tree}`]),
    ...against.map((by) => `${by} requested changes, and has not approved since`),
    ...(numbers.approvals >= count
      ? []
      : [
          `${numbers.approvals} of ${count} approvals count`,
          ...rest.map(({ by, head: reviewed, roles: held }) =>
            authors.includes(by)
              ? `${by} is an author`
              : reviewed === head.commit
                ? `${by} has the roles ${held.join(', ') || 'none'}, not ${roles.join(' or ')}`
                : `${by} approved ${reviewed}, before the last commit`,
          ),
        ]),
  ];
  if (wrong.length > 0) return fails(wrong, numbers);
  return { verdict: 'PASS', reasons: [`approved by ${approvals.map(({ by }) => by).join(', ')}: ${url}`], numbers };
}
