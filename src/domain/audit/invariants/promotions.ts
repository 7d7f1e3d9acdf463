import { judgeApprovals } from '../../approval/approval.ts';
import { phaseOf } from '../../gates/gate.ts';
import { bodyOf, evidenceRoot } from '../../gates/evidence.ts';
import { seenByPeople } from '../../promotion/grounds.ts';
import { isOpen, type Promotion } from '../../promotion/promotion.ts';
import { publishedPointerOf } from '../../promotion/published-pointer.ts';
import { detailsOf } from '../chain.ts';
import type { Invariant, LedgerState, ReadRecord } from '../invariant.ts';

/** The pointer is what the chain says, and nothing else wrote it. */
export const pointerFollowsChain: Invariant = {
  id: 'pointer-follows-chain',
  meaning:
    'the pointer is the last promotion, rollback, confirmation or canary of the chain, and its numbers grew by one with each',
  check({ pointer }, records) {
    const acts = records.flatMap(({ record, hash }) => publishedPointerOf(record, hash) ?? []);
    const found = acts
      .map((act, index) => ({ act, expected: index + 1 }))
      .filter(({ act, expected }) => act.seq !== expected)
      .map(({ act, expected }) => `record ${act.record.seq} moved the pointer to ${act.seq}, expected ${expected}`);
    const last = acts.at(-1);
    if (last === undefined) {
      return pointer === undefined
        ? found
        : [...found, `the pointer names ${pointer.version}, and no act put it there`];
    }
    if (pointer === undefined) {
      return [...found, `record ${last.record.seq} put ${last.version} there, and there is no pointer`];
    }
    // What divides traffic changes nothing of a probation.
    const moved = acts.findLast(({ record }) => codeAt(records, record.seq)?.startsWith('RELEASE_'));
    const { current, version, seq, epoch, until } = pointer;
    const is = { release: current, version, seq, epoch, until };
    const act = records.find(({ record }) => record.seq === moved?.record.seq)?.record;
    const said = {
      release: last.release,
      version: last.version,
      seq: last.seq,
      epoch: last.epoch,
      until: act?.code === 'RELEASE_PROMOTED' ? (detailsOf(act, act.code).probationUntil ?? null) : null,
    };
    return [...found, ...differences('the pointer', is, said, `record ${last.record.seq} says`)];
  },
};

function codeAt(records: readonly ReadRecord[], seq: number): string | undefined {
  return records.find(({ record }) => record.seq === seq)?.record.code;
}

type Named = Readonly<Record<string, string | number | null>>;

function differences(what: string, is: Named, said: Named, by: string): readonly string[] {
  return Object.entries(said)
    .filter(([name, value]) => is[name] !== value)
    .map(([name, value]) => `${what}: ${name} is ${is[name] ?? 'nothing'}, ${by} ${value ?? 'nothing'}`);
}

/** Each release that was promoted had what its policy asked for. */
export const promotionsProven: Invariant = {
  id: 'promotions-proven',
  meaning: 'each committed promotion has passing evidence of every pinned gate, bound to its digest and policy',
  check(state, records) {
    return committed(state).flatMap((promotion) => {
      const act = actOf(records, promotion);
      if (act === undefined) return [`${promotion.promotion} is committed, and no record says so`];
      const missing = promotion.gates.flatMap((gate) => gateFindings(state, records, promotion, gate));
      return act.release === promotion.release
        ? missing
        : [...missing, `${promotion.promotion} committed ${promotion.release}, record ${act.seq} says ${act.release}`];
    });
  },
};

function gateFindings(
  state: LedgerState,
  records: readonly ReadRecord[],
  promotion: Promotion,
  gate: string,
): readonly string[] {
  const name = `${promotion.promotion}: ${gate}`;
  const last = records.findLast(({ record }) => {
    if (record.code !== 'EVIDENCE_RECORDED') return false;
    const details = detailsOf(record, record.code);
    return details.promotion === promotion.promotion && details.gate === gate;
  })?.record;
  if (last === undefined) return [`${name} gave no verdict in the chain`];
  const { verdict } = detailsOf(last, 'EVIDENCE_RECORDED');
  const found = verdict === 'PASS' || verdict === 'NOT_APPLICABLE' ? [] : [`${name} said ${verdict}`];
  if (last.release !== promotion.release) found.push(`${name} judged ${last.release}`);
  const piece = state.evidence.find(
    ({ evidence }) =>
      evidence.gate === gate && evidence.release === promotion.release && evidence.policy === promotion.policy,
  );
  if (piece === undefined) return [...found, `${name} has no evidence`];
  if (bodyOf(piece.evidence) !== piece.body) found.push(`${name}: the evidence was changed after it was recorded`);
  // A later promotion of the same digest may have renewed it.
  if (piece.evidence.promotion !== promotion.promotion) return found;
  if (piece.evidence.verdict !== verdict)
    found.push(`${name}: the evidence says ${piece.evidence.verdict}, the chain ${verdict}`);
  if (piece.evidence.admitsTo !== promotion.environment)
    found.push(`${name}: the evidence admits to ${piece.evidence.admitsTo}`);
  return found;
}

/** Each release that was promoted was promoted by the people whom its policy requires. */
export const promotionsApproved: Invariant = {
  id: 'promotions-approved',
  meaning:
    'each committed promotion used approvals of enough distinct people in the required roles, each decision signed in control and used once',
  check(state, records) {
    const found = committed(state).flatMap((promotion) => approvalFindings(state, records, promotion));
    const statements = Map.groupBy(state.approvals, (approval) => approval.statement);
    const twice = [...statements]
      .filter(([, uses]) => uses.length > 1)
      .map(([statement, uses]) => `statement ${statement} is used ${uses.length} times`);
    const names = new Set(committed(state).map(({ promotion }) => promotion));
    const stray = state.approvals.filter(({ status, promotion }) => status === 'used' && !names.has(promotion));
    return [
      ...found,
      ...twice,
      ...stray.map(({ subject, promotion }) => `the approval of ${subject} is used, and ${promotion} is not committed`),
    ];
  },
};

function approvalFindings(state: LedgerState, records: readonly ReadRecord[], promotion: Promotion): readonly string[] {
  if (promotion.approvals.length === 0) return [];
  const name = promotion.promotion;
  const used = state.approvals.filter((approval) => approval.promotion === name && approval.status === 'used');
  const asIfUnused = used.map((approval) => ({ ...approval, status: 'unused' as const }));
  const outcome = judgeApprovals(
    promotion,
    asIfUnused,
    new Date(promotion.approvedAt ?? promotion.endedAt ?? promotion.openedAt),
  );
  const found = outcome.kind === 'approved' ? [] : [`${name}: the approvals that it used do not suffice`];
  const evidence = seenByPeople(
    state.evidence.filter((piece) => piece.evidence.promotion === name).map((piece) => piece.evidence),
  );
  const seen = promotion.gates.filter((gate) => phaseOf(gate) === 'before-approval');
  if (evidence.length === seen.length && promotion.approvalRequest?.evidence !== evidenceRoot(evidence)) {
    found.push(`${name}: people decided on other evidence than there is`);
  }
  const act = actOf(records, promotion);
  const letIn = act === undefined ? [] : detailsOf(act, 'RELEASE_PROMOTED').approvedBy;
  const spelled = used.map(({ subject, role }) => `${subject} (${role})`);
  if ([...letIn].sort().join() !== spelled.sort().join())
    found.push(
      `${name}: the chain names ${letIn.join(', ') || 'nobody'}, the approvals are of ${spelled.join(', ') || 'nobody'}`,
    );
  return [...found, ...used.flatMap((approval) => statementFindings(state, approval))];
}

function statementFindings({ decisions }: LedgerState, approval: LedgerState['approvals'][number]): readonly string[] {
  if (decisions === undefined) return [];
  const name = `${approval.promotion}: the approval of ${approval.subject}`;
  const decision = decisions.get(approval.statement);
  if (decision === undefined) return [`${name} is in no record of control`];
  const { subject, role, decision: said, promotion, policy, evidence } = detailsOf(decision, 'DECISION_MADE');
  const signed = { subject, role, decision: said, promotion, policy, evidence, release: decision.release };
  const { expiresAt: _expiresAt, formatVersion: _formatVersion, ...is } = approval;
  return differences(name, is, signed, 'control signed');
}

/** Nobody holds the lock who is not at work. */
export const lockOwned: Invariant = {
  id: 'lock-owned',
  meaning: 'the lock belongs to an open promotion, and every open promotion holds it',
  check({ lock, promotions }) {
    const open = promotions.filter(({ status }) => isOpen(status));
    const lost = open.filter(
      ({ promotion, fencingToken }) => lock?.promotion !== promotion || lock.fencingToken !== fencingToken,
    );
    const found = lost.map(({ promotion }) => `${promotion} is open without the lock`);
    const holder = lock?.promotion ?? null;
    if (holder === null || open.some(({ promotion }) => promotion === holder)) return found;
    return [...found, `the lock is held by ${holder}, which is not open`];
  },
};

function committed({ promotions }: LedgerState): readonly Promotion[] {
  return promotions.filter(({ status }) => status === 'committed');
}

function actOf(records: readonly ReadRecord[], { promotion }: Promotion): ReadRecord['record'] | undefined {
  return records.find(({ record }) => record.code === 'RELEASE_PROMOTED' && record.details['promotion'] === promotion)
    ?.record;
}
