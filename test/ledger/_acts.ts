// What each kind of act must find in the ledger, and what it may put there.
import type { Name } from './_commands.ts';
import type { Approval, ChainRecord, Promotion } from './_documents.ts';
import { type Act, authorityOf, before, type Broken, of, text } from './_act.ts';
import { judgeActivation, judgeCommit } from './_commits.ts';
import { POLICY_BY_DIGEST } from './_fixtures.ts';
import type { Reference } from './_reference.ts';

/** The authorities that each code may put; what is not named here puts nothing. */
const MAY_PUT: Readonly<Record<string, string>> = {
  BASELINE_REGISTERED: 'REGISTRATION VERSION',
  RELEASE_REGISTERED: 'REGISTRATION VERSION',
  RELEASE_REPORTED: 'REGISTRATION',
  POLICY_ACTIVATED: 'POLICY',
  POLICY_VOTE_VERIFIED: 'POLICY',
  PROMOTION_OPENED: 'LOCK PROMOTION',
  EVIDENCE_RECORDED: 'EVIDENCE',
  APPROVAL_REQUESTED: 'PROMOTION',
  APPROVAL_RECORDED: 'APPROVAL',
  RELEASE_PROMOTED: 'POINTER APPROVAL LOCK PROMOTION',
  PROMOTION_REFUSED: 'LOCK PROMOTION',
  PROMOTION_FAILED: 'LOCK PROMOTION',
  RELEASE_ROLLED_BACK: 'POINTER QUARANTINE',
  QUARANTINE_VOTE_VERIFIED: 'QUARANTINE_VOTE',
  QUARANTINE_LIFTED: 'QUARANTINE',
  RELEASE_CONFIRMED: 'POINTER',
  INCIDENT_OPENED: 'INCIDENT',
  PEER_KEY_PINNED: 'PEER',
  UPSTREAM_RELEASED: 'UPSTREAM',
  UPSTREAM_ROLLED_BACK: 'UPSTREAM',
  RELEASED_VERSION_RECORDED: 'RELEASED',
  PROMOTION_REQUEST_VERIFIED: 'PROMOTION_REQUEST',
  REQUEST_RECEIVED: 'REQUEST',
  APPROVERS_NOTIFIED: 'REQUEST',
  REQUEST_CLOSED: 'REQUEST',
  DECISION_MADE: 'DECISION',
};
/** What an act must put, once each, to be one. */
const MUST_PUT: Readonly<Record<string, string>> = {
  RELEASE_REPORTED: 'REGISTRATION',
  EVIDENCE_RECORDED: 'EVIDENCE',
  PROMOTION_OPENED: 'LOCK',
  APPROVAL_REQUESTED: 'PROMOTION',
  APPROVAL_RECORDED: 'APPROVAL',
  RELEASE_PROMOTED: 'POINTER LOCK PROMOTION',
  RELEASE_ROLLED_BACK: 'POINTER QUARANTINE',
  QUARANTINE_VOTE_VERIFIED: 'QUARANTINE_VOTE',
  QUARANTINE_LIFTED: 'QUARANTINE',
  RELEASE_CONFIRMED: 'POINTER',
  POLICY_ACTIVATED: 'POLICY',
  POLICY_VOTE_VERIFIED: 'POLICY',
  PEER_KEY_PINNED: 'PEER',
  UPSTREAM_RELEASED: 'UPSTREAM',
  UPSTREAM_ROLLED_BACK: 'UPSTREAM',
  RELEASED_VERSION_RECORDED: 'RELEASED',
  PROMOTION_REQUEST_VERIFIED: 'PROMOTION_REQUEST',
  REQUEST_RECEIVED: 'REQUEST',
  REQUEST_CLOSED: 'REQUEST',
};
/** The acts that only an open promotion may do, under the lock that it took. */
const UNDER_LOCK = new Set(['EVIDENCE_RECORDED', 'APPROVAL_REQUESTED', 'RELEASE_PROMOTED']);

/** Holds an act against the ledger as it was before it. */
export function judgeAct(own: Reference, act: Act, report: Broken): void {
  const { record, governed } = act;
  const broken: Broken = (what) => report(`${record.code} ${record.seq}: ${what}`);
  const allowed = (MAY_PUT[record.code] ?? '').split(' ');
  for (const item of governed) {
    if (!allowed.includes(authorityOf(item))) broken(`puts ${item.pk} ${item.sk}`);
  }
  for (const name of MUST_PUT[record.code]?.split(' ') ?? []) {
    const put = governed.filter((item) => authorityOf(item) === name).length;
    if (put !== 1) broken(`puts ${put} of ${name}`);
  }
  if (UNDER_LOCK.has(record.code)) judgeHolder(own, text(record.details['promotion']), broken);
  judgePointer(own, act, broken);
  for (const promotion of of(act, 'PROMOTION')) judgePromotion(own, act, promotion, broken);
  for (const approval of of(act, 'APPROVAL')) judgeApproval(own, act, approval, broken);
  for (const { gate, verdict, promotion } of of(act, 'EVIDENCE')) {
    const { details } = record;
    if (gate !== details['gate'] || verdict !== details['verdict'] || promotion !== details['promotion'])
      broken(`keeps ${verdict} of ${gate}, and says ${String(details['verdict'])} of ${String(details['gate'])}`);
  }
  if (record.code === 'RELEASE_PROMOTED') judgeCommit(own, act, broken);
  if (record.code === 'POLICY_ACTIVATED') judgeActivation(own, act, broken);
  for (const { sk } of of(act, 'VERSION'))
    if (before(own, 'VERSION', sk) !== undefined) broken(`gives ${sk} a second time`);
  for (const { seq } of of(act, 'RELEASED'))
    if (seq <= (before(own, 'RELEASED', 'RELEASED')?.seq ?? 0)) broken(`goes back to pointer ${seq}`);
  judgeHearsay(own, record, broken);
}

/** A promotion that no longer holds the lock changes nothing: whatever took its place has a higher token. */
function judgeHolder(own: Reference, promotion: string, broken: Broken): void {
  const lock = before(own, 'LOCK', 'LOCK');
  const token = own.open.get(promotion)?.fencingToken;
  if (lock?.promotion !== promotion || token === undefined || token !== own.highestToken)
    broken(`${promotion} acts with token ${token ?? 'of nobody'}, the newest is ${own.highestToken}`);
}

function judgePointer(own: Reference, act: Act, broken: Broken): void {
  const { record } = act;
  const [next, ...others] = of(act, 'POINTER');
  if (others.length > 0) broken('puts two pointers');
  if (next === undefined) return;
  const { pointer } = own;
  const isConfirmed = record.code === 'RELEASE_CONFIRMED';
  const [seq, epoch] = [(pointer?.seq ?? 0) + 1, (pointer?.epoch ?? 0) + (isConfirmed ? 0 : 1)];
  if (
    isConfirmed &&
    (pointer?.status !== 'probation' || pointer.current !== next.current || next.status !== 'confirmed')
  )
    broken('confirms what is not on probation');
  const isHotfix = record.details['transition'] === 'hotfix';
  if (record.code === 'RELEASE_PROMOTED' && pointer?.status === 'probation' && !isHotfix)
    broken(`lets ${next.version} in beside one on probation`);
  if (record.code === 'RELEASE_PROMOTED') judgePropagation(own, next.pendingPropagation, isHotfix, broken);
  if (next.seq !== seq || next.epoch !== epoch) broken(`moves the pointer to ${next.seq} in epoch ${next.epoch}`);
  if (next.fencingToken < (pointer?.fencingToken ?? 0)) broken('moves the pointer under an older token');
  const { pointerSeq, epoch: said, version } = record.details;
  if (next.current !== record.release || next.seq !== pointerSeq || next.epoch !== said || next.version !== version)
    broken('the pointer is not what the record says');
  if (own.quarantined.has(next.current)) broken(`serves ${next.version}, which is quarantined`);
  if (record.code !== 'RELEASE_ROLLED_BACK') return;
  if (record.details['from'] !== pointer?.current) broken('rolls back what was not served');
  const attributed = own.attributed.get(text(record.details['rollback']));
  if (attributed?.from !== pointer?.current || attributed?.epoch !== pointer?.epoch)
    broken(`rolls back epoch ${pointer?.epoch ?? 0}, and was asked to roll back ${String(attributed?.epoch)}`);
  const quarantined = of(act, 'QUARANTINE').map(({ sk }) => sk);
  if (quarantined.join() !== pointer?.current) broken(`quarantines ${quarantined.join() || 'nothing'}`);
}

/** A hotfix leaves a pending propagation, and nothing else is promoted until dev and staging have said that they carry it. */
function judgePropagation(
  own: Reference,
  next: { readonly release: string } | null,
  isHotfix: boolean,
  broken: Broken,
): void {
  const pendingPropagation = own.pointer?.pendingPropagation ?? null;
  if (isHotfix && own.name !== 'prod') broken('is a hotfix elsewhere than in prod');
  if (isHotfix !== (next !== null))
    broken(isHotfix ? 'is a hotfix without pending propagation' : 'leaves a pending propagation');
  if (isHotfix || pendingPropagation === null) return;
  for (const environment of ['dev', 'staging']) {
    const carried = before(own, 'UPSTREAM', `${pendingPropagation.release}#${environment}`);
    if (carried?.withdrawn !== null)
      broken(`is promoted although ${environment} does not carry ${pendingPropagation.release}`);
  }
}

function judgePromotion(own: Reference, { record, now }: Act, promotion: Promotion, broken: Broken): void {
  const name = promotion.promotion;
  const was = before(own, 'PROMOTION', name);
  if (record.code === 'PROMOTION_OPENED' && was === undefined) {
    const policy = POLICY_BY_DIGEST.get(promotion.policy);
    const rule = policy?.transitions[promotion.transition];
    if (before(own, 'POLICY', 'ACTIVE')?.policy !== promotion.policy)
      broken(`${name} pins a policy that is not in force`);
    if (JSON.stringify(rule?.gates) !== JSON.stringify(promotion.gates)) broken(`${name} pins other gates`);
    if (JSON.stringify(rule?.approvals) !== JSON.stringify(promotion.approvals)) broken(`${name} pins other approvals`);
    if (promotion.fencingToken <= own.highestToken)
      broken(`${name} opens with the old token ${promotion.fencingToken}`);
    if (own.quarantined.has(promotion.release)) broken(`${name} opens for a quarantined release`);
    if (promotion.replaces !== (own.pointer?.current ?? null)) broken(`${name} replaces what is not served`);
    return;
  }
  if (was === undefined || !own.open.has(name)) broken(`changes ${name}, which is ${was?.status ?? 'not there'}`);
  for (const pinned of ['release', 'policy', 'fencingToken', 'requestedBy', 'deadline', 'transition'] as const) {
    if (was?.[pinned] !== promotion[pinned]) broken(`changes ${pinned} of ${name}`);
  }
  for (const pinned of ['gates', 'approvals'] as const) {
    if (JSON.stringify(was?.[pinned]) !== JSON.stringify(promotion[pinned])) broken(`changes ${pinned} of ${name}`);
  }
  if (promotion.status === 'committed' && !(promotion.deadline > now)) broken(`${name} is past its deadline`);
}

/** An approval comes in unused, with a statement that control signed, and is used up once, by its own promotion's commit. */
function judgeApproval(own: Reference, { record }: Act, approval: Approval, broken: Broken): void {
  const was = before(own, 'APPROVAL', `${approval.promotion}#${approval.subject}`);
  const name = `the approval of ${approval.subject}`;
  if (record.code === 'APPROVAL_RECORDED') {
    if (was !== undefined || approval.status !== 'unused') broken(`${name} replaces one`);
  } else if (was?.status !== 'unused' || approval.status !== 'used' || approval.statement !== was.statement) {
    broken(`${name} was ${was?.status ?? 'not there'}`);
  }
  const { chain, places } = own.others.control;
  const said = chain[places.get(approval.statement) ?? -1];
  const { subject, role, decision, promotion, policy, evidence, expiresAt } = approval;
  for (const [field, value] of Object.entries({ subject, role, decision, promotion, policy, evidence, expiresAt })) {
    if (said?.code !== 'DECISION_MADE' || said.details[field] !== value)
      broken(`${name}: control did not sign ${field}`);
  }
  if (said?.release !== approval.release) broken(`${name}: control signed for another release`);
}

/** What is said to have been heard of a peer was said by it. */
function judgeHearsay(own: Reference, record: ChainRecord, broken: Broken): void {
  const heard: Readonly<Record<string, readonly string[]>> = {
    UPSTREAM_RELEASED: ['BASELINE_REGISTERED', 'RELEASE_REGISTERED', 'RELEASE_OFFERED', 'RELEASE_PROMOTED'],
    UPSTREAM_ROLLED_BACK: ['RELEASE_ROLLED_BACK'],
    RELEASED_VERSION_RECORDED: ['RELEASE_PROMOTED', 'RELEASE_ROLLED_BACK'],
    REQUEST_RECEIVED: ['APPROVAL_REQUESTED'],
    REQUEST_CLOSED: ['RELEASE_PROMOTED', 'PROMOTION_REFUSED', 'PROMOTION_FAILED', 'PROMOTION_OPENED'],
  };
  const codes = heard[record.code];
  if (codes === undefined) return;
  const peer = own.others[text(record.details['peer'] ?? record.details['environment']) as Name];
  const said = peer?.chain[peer.places.get(text(record.details['record'])) ?? -1];
  if (said === undefined || !codes.includes(said.code)) broken('no peer has said so');
}
