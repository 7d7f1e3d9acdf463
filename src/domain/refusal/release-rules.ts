import { rulesOf } from './rule.ts';

const promotion = rulesOf('promotion_refused');
const decision = rulesOf('decision_refused');
const rollback = rulesOf('rollback_refused');
const probation = rulesOf('a-release-on-probation');
const peer = rulesOf('peer_verification_failed');
const control = rulesOf();

const AGAIN = 'request a new promotion';
const JUDGE_AGAIN = 'look at the status, and judge what is there now';
const ROLL_BACK_AGAIN = 'look at the status, and roll back what is there now if that is meant';
const BY_REQUEST = 'request the promotion through control, or let the environment before offer the release';

/** The rules by which promotions, decisions of people, rollbacks and records of peers are refused. */
export const RELEASE_RULES = {
  'promotion-open': promotion(409, 'a promotion is decided only while it is open', AGAIN),
  'promotion-not-aborted': promotion(409, 'nobody has aborted the promotion', AGAIN),
  'promotion-deadline': promotion(409, 'a promotion is committed before its deadline', AGAIN),
  'promotion-turn': promotion(409, 'a promotion gets the lock of its model within a limited time', AGAIN),
  'promotion-newest': promotion(409, 'the newest promotion supersedes older ones that are open', AGAIN),
  'release-quarantined': promotion(409, 'a quarantined release is neither promoted nor rolled back to'),
  'request-verified': promotion(409, 'a promotion is what its verified request says', BY_REQUEST),
  'initial-only-once': promotion(409, 'the baseline is promoted only where nothing is served'),
  'champion-unchanged': promotion(409, 'the pointer still names the release that the gates compared with'),
  'release-new': promotion(409, 'the promoted release is not the one that is served'),
  'as-of-past': promotion(409, 'the logical day of a run or release is not in the future'),
  'hotfix-allowed': promotion(409, 'a hotfix goes from dev into prod, and the policy knows the transition'),
  'hotfix-propagation': promotion(409, 'a hotfix is propagated before another release is promoted'),
  'gates-pinned': promotion(409, 'a promotion pins at least one gate'),
  'gates-passed': promotion(409, 'every pinned gate passes'),
  'policy-in-force': promotion(409, 'the policy in force is the one that was pinned or named'),
  'evidence-complete': promotion(409, 'each pinned gate has evidence that passes and is not expired'),
  'attestations-hold': promotion(409, 'what is attested still passes when the promotion is committed'),
  'released-upstream': promotion(409, 'the environment before has released it and not rolled it back'),
  'data-validated': promotion(409, 'the data of a release was validated before training'),
  'release-integrity': promotion(409, 'the files of a release are those of its manifest'),
  'one-on-probation': promotion(409, 'nothing is promoted while a release is on probation'),
  'probation-allowed': promotion(409, 'what passes provisionally is served on probation'),
  'approval-given': promotion(409, 'the roles that the policy names approve before the request expires'),
  'aggregates-built': promotion(409, 'the daily aggregates that an endpoint loads for a release are built'),
  'canary-allowed': promotion(
    409,
    'a canary is at least as long as the policy says, and left out only where people approve that',
  ),
  'ab-test-promotes': promotion(409, 'an A/B test ends in a report, and promotes nothing'),
  'canary-stands': promotion(409, 'the traffic is divided as the canary began it until the canary ends', AGAIN),
  'champion-healthy': promotion(409, 'a candidate is compared with a champion of which no alarm is open'),
  'commit-conditions': promotion(409, 'what a commit was decided on is unchanged when it is written', AGAIN),
  'promotion-opened': promotion(409, 'the target answers a request in time'),
  'promotion-succeeded': rulesOf('promotion_failed')(409, 'a promotion runs without a fault'),
  'promotion-known': decision(404, 'the promotion exists'),
  'promotion-unique': decision(409, 'the digits that were given name one promotion'),
  'approval-requested': decision(404, 'approvals of the promotion have been requested'),
  'approval-bound': decision(409, 'a decision is about exactly what approval was requested of'),
  'approval-not-by-requester': decision(403, 'nobody approves what they requested', 'let another person decide'),
  'approval-role': decision(403, 'the person holds a role that decides'),
  'approval-role-named': decision(422, 'a person in several roles names one', 'say in which role: --role ROLE'),
  'approval-expired': decision(409, 'a decision is made before the request expires'),
  'approval-single-use': decision(409, 'an approval counts for one commit'),
  'approval-once': decision(
    409,
    'a person decides once on a promotion, policy or quarantine, in one role',
    'let another person decide: a person decides once, in one role',
  ),
  'quarantine-known': decision(404, 'a vote is about a release that is quarantined', 'see: gatehouse quarantine list'),
  'quarantine-automatic': decision(
    409,
    'only what the pipeline quarantined can be lifted',
    'promote another release, or train a new one: what a person quarantined stays',
  ),
  'quarantine-bound': decision(
    409,
    'a vote is about the rollback that made the quarantine',
    'look at it, and vote again: gatehouse quarantine list',
  ),
  'policy-deployed': decision(409, 'a vote is for the policy that is deployed'),
  'request-role': control(403, 'the person holds a role that requests promotions'),
  'request-recorded': control(409, 'a request or vote is recorded in the chain of control', 'request again'),
  'request-id-once': control(409, 'a request id stands for one request', 'use a new request id'),
  'model-known': control(404, 'the model exists'),
  'signed-in': control(401, 'the person is signed in'),
  'well-formed': control(422, 'the request is valid JSON of its schema', 'use the gatehouse command'),
  'route-known': control(404, 'the API has the route', 'use the gatehouse command'),
  'actor-verified': rollback(403, 'a person acts, or the pipeline on a verdict that it recorded'),
  'rollback-target': rollback(409, 'there is a whole, confirmed release to roll back to'),
  'rollback-epoch': rollback(409, 'a rollback is about the epoch that the pointer is in', ROLL_BACK_AGAIN),
  'rollback-from': rollback(409, 'a rollback is about the release that is served', ROLL_BACK_AGAIN),
  'probation-release': probation(409, 'a confirmation is about the release on probation'),
  'probation-epoch': probation(409, 'a confirmation is about the epoch that the pointer is in', JUDGE_AGAIN),
  'probation-conditions': probation(409, 'the pointer is unchanged when a confirmation is written', JUDGE_AGAIN),
  'record-of-peer': peer(409, 'a published record is of the peer and model whose chain it stands in'),
  'record-signed': peer(409, 'a published record is signed by its peer'),
  'chain-unbroken': peer(409, 'a published record follows the one before it'),
  'peer-key-pinned': peer(409, 'a peer shows the key that was pinned at first contact'),
} as const;
