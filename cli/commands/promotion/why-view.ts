import { type Approval, whyNotCounting } from '#domain/approval/approval.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import type { GateId, Verdict } from '#domain/gates/gate.ts';
import { GATE_REMEDIES } from '#domain/gates/remedy.ts';
import { type GroundsState, judgeGrounds, pinnedEvidence } from '#domain/promotion/grounds.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import type { Prospect } from '#read-model/prospect.ts';
import type { FoundRelease } from '../../references.ts';
import { type Report, shortDigest, shortTime, type TableSection } from '../../report.ts';
import { type AttestationLine, attestationLines, attestationsSection } from './attestations-view.ts';
import { watchedText } from './phase.ts';

/** A gate of a promotion and what it said, if it has spoken. */
export interface GateLine {
  readonly gate: GateId;
  readonly verdict: Verdict | 'NOT JUDGED';
  readonly numbers: Readonly<Record<string, number>>;
  readonly reasons: readonly string[];
  readonly toChangeIt: string;
}

/** A person's decision and whether it counts. */
export interface ApprovalLine {
  readonly subject: string;
  readonly role: string;
  readonly decision: string;
  readonly comment: string;
  readonly counts: string;
}

/** Why a release is, or is not, where it was meant to go. */
export function whyReport(state: GroundsState, attestations: readonly AttestationLine[], now: Date): Report {
  const { promotion, approvals, pointer } = state;
  const gates = gateLines(promotion, pinnedEvidence(state));
  const { unmet, people } = judgeGrounds(state, now);
  const isUnderWay = isOpen(promotion.status);
  // What an ended promotion would be refused for now says nothing of how it ended.
  const against = isUnderWay ? unmet : [];
  const decisions = approvals.map((approval): ApprovalLine => {
    const { subject, role, decision, comment } = approval;
    return { subject, role, decision, comment, counts: countsFor(approval, promotion, now) };
  });
  const missing =
    isUnderWay && people.kind === 'pending' ? people.missing.map(({ role, count }) => `${count} of ${role}`) : [];
  // A hotfix that is served and owes what it went past.
  const isPropagationPending = pointer?.pendingPropagation?.promotion === promotion.promotion;
  const { model, version, release, environment } = promotion;
  const conclusion = [
    ...(promotion.status === 'in-canary' ? [watchedText(promotion, pointer, now)] : []),
    ...conclusionOf(promotion, gates, missing),
    ...(isPropagationPending
      ? ['it is a hotfix that is not propagated: no other release is promoted until staging serves its digest']
      : []),
  ];
  return {
    data: { promotion, gates, attestations, approvals: decisions, missing, against, conclusion },
    sections: [
      {
        title: `${model}@${version} (${shortDigest(release)}) into ${environment}: ${promotion.status}`,
        lines: [
          `  promotion ${promotion.promotion}, requested by ${promotion.requestedBy}, opened ${shortTime(promotion.openedAt)}`,
          `  against   ${promotion.replaces === null ? 'nothing: the first release here' : shortDigest(promotion.replaces)}`,
          `  policy    ${shortDigest(promotion.policy)}`,
          ...(promotion.hotfix === undefined
            ? []
            : [`  hotfix    past staging, from ${promotion.source}: ${promotion.hotfix.reason}`]),
        ],
      },
      gatesSection(gates),
      attestationsSection(attestations, now),
      {
        title: 'approvals',
        columns: ['person', 'role', 'decision', 'counts', 'comment'],
        rows: decisions.map(({ subject, role, decision, counts, comment }) => [
          subject,
          role,
          decision,
          counts,
          comment,
        ]),
        empty: promotion.approvals.length === 0 ? 'the policy requires no approval' : 'no decision yet',
      },
      ...(against.length === 0
        ? []
        : [
            {
              title: 'against a commit now',
              columns: ['rule', 'found', 'what would change it'],
              rows: against.map(({ rule, found, remedy }) => [rule, found, remedy]),
            },
          ]),
      { title: 'conclusion', lines: conclusion.map((line) => `  ${line}`) },
    ],
  };
}

/** A report of a promotion that has ended, and what its gates would say of the release now. */
export function withGatesNow({ data, sections }: Report, prospect: Prospect): Report {
  const now = prospectLines(prospect);
  return {
    data: { ...(data as object), now },
    sections: [...sections, { ...gatesSection(now), title: 'gates, if it were requested now' }],
  };
}

function prospectLines({ gates }: Prospect): readonly GateLine[] {
  return gates.map(({ gate, result }): GateLine => {
    const verdict = result?.verdict ?? 'NOT JUDGED';
    return {
      gate,
      verdict,
      numbers: result?.numbers ?? {},
      reasons: result?.reasons ?? ['a promotion judges it'],
      toChangeIt: result === undefined ? '-' : remedyOf(gate, verdict),
    };
  });
}

/** What would be said of a release where no promotion of it was ever opened: each gate of the policy in force. */
export function prospectReport(
  { model, version, release }: FoundRelease,
  environment: string,
  prospect: Prospect,
  now: Date,
): Report {
  const gates = prospectLines(prospect);
  const attestations = attestationLines(prospect.attestations, prospect.rule, now);
  const against = gates.filter(({ verdict }) => verdict === 'FAIL' || verdict === 'INCONCLUSIVE');
  const conclusion =
    against.length === 0
      ? `no promotion was opened; request it: gatehouse promote ${model}@${version} --to ${environment}`
      : `no promotion was opened; ${against.map(({ gate }) => gate).join(', ')} would refuse it`;
  return {
    data: { model, version, release, environment, promotion: null, gates, attestations, conclusion: [conclusion] },
    sections: [
      { title: `${model}@${version} (${shortDigest(release)}) into ${environment}: never requested`, lines: [] },
      gatesSection(gates),
      attestationsSection(attestations, now),
      { title: 'conclusion', lines: [`  ${conclusion}`] },
    ],
  };
}

function gatesSection(gates: readonly GateLine[]): TableSection {
  return {
    title: 'gates',
    columns: ['gate', 'verdict', 'reasons', 'numbers', 'to change it'],
    rows: gates.map(({ gate, verdict, reasons, numbers, toChangeIt }) => [
      gate,
      verdict,
      reasons.join('\n'),
      numbersText(numbers),
      toChangeIt,
    ]),
    empty: 'no policy is in force',
  };
}

function gateLines(promotion: Promotion, evidence: readonly Evidence[]): readonly GateLine[] {
  return promotion.gates.map((gate) => {
    const piece = evidence.find((candidate) => candidate.gate === gate && candidate.promotion === promotion.promotion);
    const verdict = piece?.verdict ?? 'NOT JUDGED';
    return {
      gate,
      verdict,
      numbers: piece?.numbers ?? {},
      reasons: piece?.reasons ?? [],
      toChangeIt: remedyOf(gate, verdict),
    };
  });
}

/** What would turn a gate's verdict. */
function remedyOf(gate: GateId, verdict: GateLine['verdict']): string {
  if (verdict === 'PASS' || verdict === 'NOT_APPLICABLE') return '-';
  if (verdict === 'NOT JUDGED') return 'wait, or see which state ended the promotion';
  return GATE_REMEDIES[gate](verdict);
}

function countsFor(approval: Approval, promotion: Promotion, now: Date): string {
  if (approval.status === 'used') return 'was used for this promotion';
  return whyNotCounting(approval, promotion, now)?.found ?? 'counts';
}

function conclusionOf(promotion: Promotion, gates: readonly GateLine[], missing: readonly string[]): readonly string[] {
  switch (promotion.status) {
    case 'committed':
      return [`it was promoted at ${shortTime(promotion.endedAt)}`];
    case 'awaiting-approval':
      return [`it waits for ${missing.join(', ') || 'its commit'}: gatehouse approve ${promotion.promotion}`];
    case 'in-canary':
      return [`it was approved and is watched: gatehouse promotion watch ${promotion.promotion}`];
    case 'open': {
      const next = gates.find(({ verdict }) => verdict === 'NOT JUDGED');
      return [next === undefined ? 'it is at work' : `it is at work; ${next.gate} has not spoken`];
    }
    case 'refused':
    case 'failed':
    case 'superseded':
      return [`it ended ${shortTime(promotion.endedAt)}: ${promotion.ending ?? promotion.status}`];
  }
}

function numbersText(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toPrecision(4)}`)
    .join('\n');
}
