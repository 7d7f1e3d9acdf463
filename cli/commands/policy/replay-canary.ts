import { type CanaryJudgement, judgeCanary } from '#domain/canary/judge.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { judgeShadow, type ShadowJudgement } from '#domain/canary/shadow.ts';
import { ShadowReplay } from '#domain/canary/shadow-batches.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import { askedFor, type CanaryRule } from '#domain/policy/canary.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { planKind } from '#domain/promotion/canary.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { percent } from '#domain/text.ts';
import { readDocument } from '#ports/documents.ts';
import type { Cloud } from '../../cloud.ts';

/** What a stored canary or shadow said, and what it would say under another rule. */
export interface WatchedAgain {
  readonly said: string;
  readonly wouldSay: string;
  readonly reasons: readonly string[];
}

/**
 * Judges what watched a promotion again, by another policy: the stored minutes or pairs, by the rule that the same request would have pinned.
 * Undefined for what was judged by no measurement of that kind.
 */
export async function watchAgain(
  { documents }: Pick<Cloud, 'documents'>,
  promotion: Promotion,
  { gate, measure, numbers, at }: Evidence,
  policy: Policy,
): Promise<WatchedAgain | undefined> {
  // What divides no traffic, or promotes nothing, is judged otherwise.
  if (promotion.canary === null || measure === null || planKind(promotion) !== 'canary') return undefined;
  const changed = policy.transitions[promotion.transition]?.canary;
  const rule = changed && askedFor(changed, promotion.canaryRequest);
  if (gate === 'canary') {
    const { from, until, minutes } = await readDocument(documents, CanaryMinutes, measure);
    const judge = (by: CanaryRule): CanaryJudgement =>
      judgeCanary(by, {
        startedAt: new Date(from),
        now: new Date(at),
        closedUntil: new Date(until),
        hasLatencyObjective: 'latencyEvidence' in numbers,
        minutes,
      });
    const said = canaryText(judge(promotion.canary), from);
    if (rule === undefined)
      return { said, wouldSay: 'no canary', reasons: ['the policy has none for this transition'] };
    const judgement = judge(rule);
    const share =
      rule.share === promotion.canary.share
        ? []
        : [`its minutes are of a share of ${percent(promotion.canary.share, 0)}, not ${percent(rule.share, 0)}`];
    return { said, wouldSay: canaryText(judgement, from), reasons: [judgement.found, ...share] };
  }
  if (gate !== 'shadow' || promotion.canary.shadow === undefined) return undefined;
  const { batches } = await readDocument(documents, ShadowReplay, measure);
  const judge = (by: Parameters<typeof judgeShadow>[0]): ShadowJudgement =>
    judgeShadow(by, batches, { isComplete: true, hasLatencyObjective: 'latency' in numbers });
  const said = shadowText(judge({ ...promotion.canary, shadow: promotion.canary.shadow }));
  if (rule?.shadow === undefined) return { said, wouldSay: 'no shadow', reasons: ['the policy has none'] };
  const judgement = judge({ ...rule, shadow: rule.shadow });
  return { said, wouldSay: shadowText(judgement), reasons: [judgement.found] };
}

/** How a canary ends, and when: it finishes by minutes with traffic, and anything else by the clock. */
function canaryText({ verdict, minutes, minutesNeeded, decidedAt }: CanaryJudgement, from: string): string {
  const minute = decidedAt === null ? 0 : Math.round((Date.parse(decidedAt) - Date.parse(from)) / 60_000);
  switch (verdict) {
    case 'abort':
      return `aborted at minute ${minute}`;
    case 'finish':
      return `finished after ${minutes} minutes`;
    case 'inconclusive':
      return `inconclusive at minute ${minute}`;
    case 'pause':
    case 'continue':
      return `not ended after ${minutes} of ${minutesNeeded} minutes`;
  }
}

function shadowText({ verdict, pairs }: ShadowJudgement): string {
  switch (verdict) {
    case 'abort':
      return `aborted after ${pairs} pairs`;
    case 'finish':
      return `passed after ${pairs} pairs`;
    case 'inconclusive':
    case 'continue':
      return `inconclusive after ${pairs} pairs`;
  }
}
