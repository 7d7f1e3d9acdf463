import { rulesOf } from './rule.ts';

const report = rulesOf();
const attester = rulesOf();

/** The rules by which a report of a tool or of a forge, or who attests it, is refused before it is attested. */
export const ATTESTATION_RULES = {
  'report-size': report(413, 'a report fits the limit, and so does what it unpacks to', 'report less in one file'),
  'report-format': report(422, 'a report is well-formed, and of a known format'),
  'report-version': report(422, 'a report is of a version of its format that is read'),
  'report-hostile': report(422, 'a report has nothing that parsers read in different ways, or that exhausts them'),
  'report-consistent': report(422, 'the numbers of a report agree with each other', 'run the tool again'),
  'report-complete': report(422, 'a report is of a run that ended, and leaves nothing out'),
  'report-fits': report(422, 'a report names no more than can be recorded'),
  'report-subject': report(422, 'a statement names the commits that it is about'),
  'review-of-merge': report(422, 'a review is of the pull request whose merge made the commit'),
  'review-authors-verified': report(422, 'the forge knows or has verified everybody who wrote a commit'),
  'token-valid': attester(
    401,
    'the OIDC token of a job is signed by its issuer, for this audience, and has not expired',
    'let the job fetch a new token',
  ),
  'token-once': attester(409, 'a token attests one report', 'let the job fetch a token for each report'),
  'ref-protected': attester(
    403,
    'a job that attests is of a protected ref',
    'protect the branch, or attest from one that is',
  ),
  'commit-pushed': attester(
    403,
    'a commit is attested by a job that its push to a branch started',
    'attest from a workflow that runs on push',
  ),
  'producer-known': attester(
    403,
    'the policy of a deployed model names the job as a producer',
    'name it in attestations.producers of the policy, deploy control, and activate the policy',
  ),
  'author-known': attester(
    403,
    'every author of a reviewed commit is known to control',
    'name their logins or verified addresses in people of gatehouse.config.ts, and deploy control',
  ),
  'attestation-subject': attester(422, 'an attestation is about one commit or release, the one that its report names'),
  'attestation-fits': attester(422, 'what is attested fits an audit record', 'report less in one file'),
  'attester-role': attester(403, 'a person who attests holds a role', 'let somebody attest who holds one'),
  'claims-limited': attester(409, 'a person makes a limited number of claims in an hour', 'try again within the hour'),
  'attested-once': attester(409, 'a run attests a subject once for each gate and tool', 'attest from another run'),
} as const;
