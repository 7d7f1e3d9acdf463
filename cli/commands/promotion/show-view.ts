import { isOpen } from '#domain/promotion/promotion.ts';
import { percent } from '#domain/text.ts';
import { type Report, type Section, shortDigest, shortTime, type TableSection } from '../../report.ts';
import { canarySections, evidenceText, KINDS } from './canary-view.ts';
import type { PromotionView, ShadowView } from './watched.ts';

/** A promotion and what watches it, for people and for programs. */
export function promotionReport(view: PromotionView, now: Date): Report {
  const { shadow, canary, records, warning } = view;
  return {
    data: view,
    sections: [
      { title: headline(view), lines: [...aboutLines(view), ...(warning === null ? [] : [`  ${warning}`])] },
      ...(shadow === null ? [] : shadowSections(shadow)),
      ...(canary === null ? [] : canarySections(canary, isOpen(view.promotion.status), now)),
      ...(records.length === 0
        ? []
        : [
            {
              title: 'records',
              columns: ['at', 'code', 'found'],
              rows: records.map(({ at, code, found }) => [shortTime(at), code, found]),
            },
          ]),
      { title: 'conclusion', lines: conclusionOf(view).map((line) => `  ${line}`) },
    ],
  };
}

/** What of a promotion is drawn again and again: as much of it as a terminal holds, while it goes on. */
export function watchedSections(view: PromotionView, now: Date): readonly Section[] {
  const { shadow, canary, promotion } = view;
  const missing = view.approvals.missing.map((each) => `  waits for ${each}`);
  return [
    { lines: [headline(view), ...missing] },
    ...(shadow === null || canary !== null ? [] : shadowSections(shadow)),
    ...(canary === null ? [] : canarySections(canary, isOpen(promotion.status), now)),
    { lines: conclusionOf(view) },
  ];
}

/** One line that says where a promotion stands; it is another one whenever there is news. */
export function headline({ promotion, phase }: Pick<PromotionView, 'promotion' | 'phase'>): string {
  const { model, version, release, environment, status } = promotion;
  const where = phase === 'over' ? status : `${status}, phase ${phase}`;
  return `${model}@${version} (${shortDigest(release)}) into ${environment}: ${where}`;
}

function aboutLines({ promotion, approvals }: PromotionView): readonly string[] {
  const { approvals: required, canary, canaryRequest, approvedAt } = promotion;
  const needed = required.map(({ role, count }) => `${count} of ${role}`).join(', ') || 'none';
  const given = approvals.decisions.map(({ subject, role, decision }) => `${subject} ${decision} as ${role}`);
  const lacking = approvals.missing.length === 0 ? [] : [`lacking: ${approvals.missing.join(', ')}`];
  const asked =
    canaryRequest === undefined
      ? []
      : [`  requested  ${canaryRequest.kind}${canaryRequest.kind === 'longer' ? `: ${canaryRequest.hours} h` : ''}`];
  return [
    `  promotion  ${promotion.promotion}, requested by ${promotion.requestedBy}, opened ${shortTime(promotion.openedAt)}`,
    `  against    ${promotion.replaces === null ? 'nothing: the first release here' : shortDigest(promotion.replaces)}`,
    `  phases     ${phasesText(promotion.gates.includes('canary'))}`,
    `  approvals  ${[`needed: ${needed}`, ...given, ...lacking].join('; ')}${approvedAt === null ? '' : `; approved ${shortTime(approvedAt)}`}`,
    ...asked,
    ...(canary === null || !promotion.gates.includes('canary')
      ? []
      : [
          `  policy     ${percent(canary.share, 0)} of the requests for ${canary.hours} h by ${canary.assignment}, deadline after ${canary.deadlineHours} h, errors below ${percent(canary.toleratedErrorRate)}`,
        ]),
  ];
}

const phasesText = (isWatched: boolean): string =>
  isWatched ? 'gates, approval, shadow, canary, commit' : 'gates, approval, commit: it is not watched';

function shadowSections({ verdict, reasons, counts, eValues }: ShadowView): readonly Section[] {
  const title = `shadow: ${verdict}`;
  if (counts === null || eValues === null)
    return [{ title, lines: (reasons.length === 0 ? ['it was not judged'] : reasons).map((each) => `  ${each}`) }];
  const { limit } = eValues;
  const rows: (readonly [string, string, string, number | null, string])[] = [
    ['errors', String(counts.candidateErrors), String(counts.championErrors), eValues.errors, 'aborts'],
    ['decides to act', String(counts.candidateActs), String(counts.championActs), eValues.decisions, 'aborts'],
    ['slow', String(counts.candidateSlow), String(counts.championSlow), eValues.latency, 'aborts'],
    ['not bad', '-', '-', eValues.notBad, 'passes'],
  ];
  const table: TableSection = {
    title,
    columns: [`of ${counts.pairs} pairs`, 'candidate only', 'champion only', 'e-value', `at ${limit}`],
    rows: rows.map(([what, own, other, value, leads]) => [
      what,
      own,
      other,
      value === null ? 'not compared' : evidenceText(value),
      value === null ? '-' : leads,
    ]),
  };
  return [table, { lines: reasons.map((each) => `  ${each}`) }];
}

function conclusionOf(view: PromotionView): readonly string[] {
  const { promotion, phase, canary, notApplicable, quarantined } = view;
  const { promotion: name, status, ending, endedAt } = promotion;
  const quarantine =
    quarantined === null
      ? []
      : [
          `${shortDigest(quarantined)} is quarantined: train a new candidate; see: gatehouse quarantine list ${promotion.model}`,
        ];
  const noCanary = notApplicable === null ? [] : [`no canary: ${notApplicable}`];
  switch (phase) {
    case 'gates':
      return ['its gates are evaluated; approvals are requested when they have passed'];
    case 'approval':
      return [`it waits for ${view.approvals.missing.join(', ') || 'its commit'}: gatehouse approve ${name}`];
    case 'shadow':
      return [...noCanary, `the shadow goes on; stop it: gatehouse reject ${name}`];
    case 'canary':
      return [
        `the ${KINDS[canary?.kind ?? 'canary']} goes on; follow it: gatehouse promotion watch ${name}; stop it: gatehouse reject ${name}`,
      ];
    case 'over':
      return status === 'committed'
        ? [...noCanary, `it was promoted at ${shortTime(endedAt)}`]
        : [...noCanary, `it ended ${shortTime(endedAt)}: ${ending ?? status}`, ...quarantine];
  }
}
