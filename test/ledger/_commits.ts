// What a commit of a promotion, and the activation of a policy, must find in the ledger.
import { hash as digest } from 'node:crypto';
import type { Item } from '#domain/ledger/item.ts';
import type { Name } from './_commands.ts';
import type { Approval, Evidence, Promotion } from './_documents.ts';
import { POLICY_BY_DIGEST } from './_fixtures.ts';
import type { Reference } from './_reference.ts';
import { type Act, before, type Broken, of, text } from './_act.ts';

/** Nothing is promoted without each pinned gate's evidence and enough people. */
export function judgeCommit(own: Reference, act: Act, broken: Broken): void {
  const { record, now } = act;
  const promotion = own.open.get(text(record.details['promotion']));
  if (promotion === undefined) return broken('commits what is not open');
  if (record.release !== promotion.release) broken('promotes another release than the promotion’s');
  if (promotion.replaces !== (own.pointer?.current ?? null)) broken('replaces another champion than was compared');
  const bodies: string[] = [];
  for (const gate of promotion.gates) {
    const about = `${own.name}#${promotion.release}#${promotion.policy}`;
    const evidence: Evidence | undefined = before(own, 'EVIDENCE', about, `${gate}#`);
    if (evidence === undefined) {
      broken(`has no evidence of ${gate}`);
      continue;
    }
    bodies.push(evidence.body);
    if (evidence.verdict !== 'PASS' && evidence.verdict !== 'NOT_APPLICABLE')
      broken(`${gate} said ${evidence.verdict}`);
    if (evidence.release !== promotion.release || evidence.policy !== promotion.policy || evidence.gate !== gate)
      broken(`${gate} is about something else`);
    if (evidence.admitsTo !== own.name || evidence.promotion !== promotion.promotion)
      broken(`${gate} admits to ${evidence.admitsTo} for ${evidence.promotion}`);
    if (!(evidence.expiresAt > now)) broken(`${gate} expired at ${evidence.expiresAt}`);
  }
  judgePeople(own, act, promotion, bodies, broken);
  judgeGrounds(own, promotion, broken);
}

/** What the gates' verdicts and the pins rest on still stands at the commit itself. */
function judgeGrounds(own: Reference, promotion: Promotion, broken: Broken): void {
  const { promotion: name, release, transition, policy } = promotion;
  if (before(own, 'POLICY', 'ACTIVE')?.policy !== policy) broken('commits under a policy that is not in force');
  const isHotfix = transition === 'hotfix';
  const source = own.name === 'prod' && !isHotfix ? 'staging' : 'dev';
  for (const environment of isHotfix ? ['dev', 'staging'] : [source]) {
    const said = before(own, 'UPSTREAM', `${release}#${environment}`);
    if (said === undefined && environment === source) broken(`${environment} never released ${release}`);
    if (said !== undefined && said.withdrawn !== null) broken(`${environment} has withdrawn ${release}`);
  }
  const requested = own.items.get(`PROMOTION_REQUEST#toy ${name}`);
  const derived = requested?.['kind'] === 'baseline' ? 'initial' : 'hotfix' in (requested ?? {}) ? 'hotfix' : own.name;
  if (transition !== derived) broken(`goes by ${transition}, and was requested as ${derived}`);
  for (const field of ['release', 'requestedBy', 'source', 'asOf'] as const) {
    if (requested?.[field] !== own.items.get(`PROMOTION#toy ${name}`)?.[field])
      broken(`was requested with another ${field}`);
  }
  judgeRequest(own, requested, broken);
}

/** A request is what a record says that its environment has written. */
function judgeRequest(own: Reference, requested: Item | undefined, broken: Broken): void {
  const { chain, places } = own.others[text(requested?.['requestedIn']) as Name] ?? own;
  const said = chain[places.get(text(requested?.['record'])) ?? -1];
  if (said === undefined || said.release !== requested?.['release']) return broken('was requested by no record');
  const by =
    said.code === 'PROMOTION_REQUESTED' ? said.details['requestedBy'] : `pipeline:${text(requested?.['requestedIn'])}`;
  if (by !== requested?.['requestedBy'])
    broken(`was requested by ${text(by)}, not ${text(requested?.['requestedBy'])}`);
}

function judgePeople(own: Reference, act: Act, promotion: Promotion, bodies: readonly string[], broken: Broken): void {
  const used = of(act, 'APPROVAL');
  if (promotion.approvals.length > 0) {
    const root = `sha256:${digest('sha256', JSON.stringify(bodies.toSorted()))}`;
    if (promotion.approvalRequest?.evidence !== root) broken('people were shown other evidence');
    if (!((promotion.approvalRequest?.expiresAt ?? '') > act.now)) broken('people’s time was over');
  }
  const counting = used.filter(
    (approval) =>
      approval.promotion === promotion.promotion &&
      approval.decision === 'approve' &&
      approval.subject !== promotion.requestedBy &&
      approval.evidence === promotion.approvalRequest?.evidence &&
      approval.expiresAt > act.now,
  );
  if (counting.length !== used.length) broken('uses approvals that do not count');
  if (new Set(used.map(({ subject }) => subject)).size !== used.length) broken('counts a person twice');
  for (const { role, count } of promotion.approvals) {
    const there = counting.filter((approval) => approval.role === role).length;
    if (there < count) broken(`is approved by ${there} of ${count} as ${role}`);
  }
  const rejection = [...own.items.values()].find(
    (item) => item.pk === 'APPROVAL#toy' && item['promotion'] === promotion.promotion && item['decision'] === 'reject',
  ) as unknown as Approval | undefined;
  if (rejection !== undefined && rejection.expiresAt > act.now) broken(`was rejected by ${rejection.subject}`);
}

/** Another policy comes into force by those whom the one before it names, each of whom control has signed for. */
export function judgeActivation(own: Reference, act: Act, broken: Broken): void {
  const [next] = of(act, 'POLICY');
  const replaced = before(own, 'POLICY', 'ACTIVE');
  if (next?.activation !== (replaced?.activation ?? 0) + 1)
    broken(`is the activation ${next?.activation ?? 'of nothing'}`);
  if (replaced === undefined) return;
  const { chain, places } = own.others.control;
  const asked = `APPROVAL#${String(replaced.activation).padStart(12, '0')}#${next?.policy}#`;
  const people = new Map<string, string>();
  for (const item of own.items.values()) {
    if (item.pk !== 'POLICY#toy' || !item.sk.startsWith(asked)) continue;
    const said = chain[places.get(text(item['statement'])) ?? -1];
    const { subject, role, policy, environment, replaces, activation } = said?.details ?? {};
    if (said?.code !== 'POLICY_VOTED' || policy !== next?.policy || environment !== own.name)
      broken(`${item.sk}: control did not sign it`);
    if (replaces !== replaced.policy || activation !== replaced.activation)
      broken(`${item.sk}: control signed it against another policy`);
    const hours = POLICY_BY_DIGEST.get(replaced.policy)?.transitions[own.name === 'prod' ? 'prod' : 'staging']
      .approvalHours;
    const expiry = new Date(Date.parse(said?.at ?? '') + (hours ?? 0) * 3_600_000).toISOString();
    if (expiry > act.record.at) people.set(text(subject), text(role));
  }
  for (const { role, count } of POLICY_BY_DIGEST.get(replaced.policy)?.activation ?? [{ role: 'nobody', count: 1 }]) {
    const there = [...people.values()].filter((each) => each === role).length;
    if (there < count) broken(`is required of ${there} of ${count} as ${role}`);
  }
}
