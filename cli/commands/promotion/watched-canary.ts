import { detailsOf } from '#domain/audit/chain.ts';
import type { AuditRecord } from '#domain/audit/chain.ts';
import { type Arm, type ArmCounts, type CanaryCounts, NOTHING } from '#domain/canary/counts.ts';
import { type CanaryJudgement, judgeCanary } from '#domain/canary/judge.ts';
import { type CanaryPoint, canarySeries, requestsToProof } from '#domain/canary/series.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import { closedUntil } from '#domain/prediction/request-log.ts';
import { armsOf, planKind } from '#domain/promotion/canary.ts';
import type { Pointer, TrafficPlan } from '#domain/promotion/pointer.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import { definitionOf } from '#read-model/definitions.ts';
import type { Cloud } from '../../cloud.ts';
import { type LastLook, lookReader, minutesNow, type ReadMinutes, storedMinutes } from './canary-minutes.ts';

/** An arm of a canary: what was planned, and what it answered. */
export interface ArmView extends ArmCounts {
  readonly arm: Arm;
  readonly release: string;
  readonly share: number;
  /** Its share of the requests of a minute, least and greatest. */
  readonly realised: { readonly least: number; readonly greatest: number } | null;
}

/** A canary, an A/B test or a blue/green release, from the start of its plan. */
export interface CanaryView {
  readonly kind: TrafficPlan['kind'];
  readonly startedAt: string;
  readonly deadline: string;
  readonly hours: number;
  readonly arms: readonly ArmView[];
  /** Where the counts were read; null where there are none, and then why. */
  readonly source: ReadMinutes['source'] | null;
  readonly countedUntil: string | null;
  readonly whyNotCounted: string | null;
  readonly judgement: CanaryJudgement | null;
  /** What the execution said at its last look, while it is under way. */
  readonly lastLook: { readonly found: string; readonly at: string | null } | null;
  readonly requestsToProof: number | null;
  readonly series: readonly CanaryPoint[];
  /** What its gate recorded. */
  readonly recorded: Pick<Evidence, 'verdict' | 'reasons' | 'at'> | null;
}

/** What an environment recorded of a canary. */
interface CanaryFacts {
  /** Its promotion's records. */
  readonly records: readonly AuditRecord[];
  /** What its gate said, if it has spoken. */
  readonly evidence: Evidence | undefined;
  readonly pointer: Pointer | undefined;
}

/** Reads a promotion's canary again and again; what does not change is read once. */
export function canaryReader(cloud: Cloud, promotion: Promotion) {
  const readLook = lookReader(cloud, promotion.promotion);
  let counted: ReadMinutes | undefined;
  return async (now: Promotion, { records, evidence, pointer }: CanaryFacts, at: Date): Promise<CanaryView | null> => {
    const started = records.find((record) => record.code === 'CANARY_STARTED');
    if (started === undefined || now.canary === null) return null;
    const details = detailsOf(started, 'CANARY_STARTED');
    const recorded =
      evidence === undefined ? null : { verdict: evidence.verdict, reasons: evidence.reasons, at: evidence.at };
    const kind = planKind(now);
    const { closeMinutes } = now.canary;
    const standing = pointer?.traffic.plan;
    // The plan's own moment is what minutes are counted from: its record is written a moment later.
    const from = standing?.promotion === now.promotion ? standing.startedAt : started.at;
    const plan = { kind, startedAt: from, deadline: details.until, hours: now.canary.hours, recorded };
    const none = { arms: [], source: null, countedUntil: null, judgement: null, requestsToProof: null, series: [] };
    if (kind === 'blue-green')
      return { ...plan, ...none, whyNotCounted: 'it answers nothing before it is switched to', lastLook: null };
    const isUnderWay = isOpen(now.status) && evidence === undefined;
    const look = isUnderWay ? await readLook().catch(() => undefined) : undefined;
    const found = await minutesOf();
    const lastLook = look?.found === undefined ? null : { found: look.found, at: look.at ?? null };
    const minutes = typeof found === 'string' ? undefined : found;
    const arms = armsOf(details.share, started.release ?? now.replaces ?? now.release, now.release);
    const judged = minutes && judgedBy(now, minutes, await hasObjective(look), evidence, at);
    return {
      ...plan,
      arms: arms.map((arm) => ({ ...arm, ...answeredBy(arm.arm, judged?.judgement.counts, judged?.series ?? []) })),
      source: minutes?.source ?? null,
      countedUntil: minutes?.until ?? null,
      whyNotCounted: typeof found === 'string' ? found : (minutes?.why ?? null),
      judgement: judged?.judgement ?? null,
      lastLook,
      requestsToProof: judged === undefined ? null : requestsToProof(now.canary, judged.judgement.counts),
      series: judged?.series ?? [],
    };

    /** The newest counts that can be read, or why there are none. */
    async function minutesOf(): Promise<(ReadMinutes & { readonly from: string; readonly why?: string }) | string> {
      if (evidence !== undefined)
        return evidence.measure === null
          ? 'its gate judged no counts'
          : storedMinutes(cloud, evidence.measure, 'evidence');
      if (!isUnderWay) return 'it ended without a verdict, and its counts were not kept';
      if (counted?.until === closedUntil(at, closeMinutes).toISOString()) return { ...counted, from };
      try {
        const { model } = now;
        const objectiveMs = look?.objectiveMs === undefined ? await objectiveOf(cloud, now) : look.objectiveMs;
        counted = await minutesNow(
          cloud,
          { model, from, sincePointerSeq: details.pointerSeq, closeMinutes, objectiveMs },
          at,
        );
        return { ...counted, from };
      } catch (error) {
        const why = `the request log cannot be read: ${error instanceof Error ? error.message : String(error)}`;
        if (look?.minutes === undefined) return why;
        return storedMinutes(cloud, look.minutes, 'last-look').then(
          (read) => ({ ...read, why }),
          () => why,
        );
      }
    }

    /** Whether answers were compared by how long they took: the evidence says so, else the execution, else the release. */
    async function hasObjective(seen: LastLook | undefined): Promise<boolean> {
      if (evidence !== undefined) return 'latencyEvidence' in evidence.numbers;
      const objectiveMs = seen?.objectiveMs === undefined ? await objectiveOf(cloud, now) : seen.objectiveMs;
      return objectiveMs !== null;
    }
  };
}

async function objectiveOf(cloud: Cloud, { release }: Promotion): Promise<number | null> {
  const { definition } = await definitionOf(cloud.releases, release);
  return definition.online?.objectiveMs ?? null;
}

/** What a canary's minutes say by its own rule, and how its evidence came about. */
function judgedBy(
  { canary }: Promotion,
  { from, until, minutes }: ReadMinutes & { readonly from: string },
  hasLatencyObjective: boolean,
  evidence: Evidence | undefined,
  at: Date,
): { readonly judgement: CanaryJudgement; readonly series: readonly CanaryPoint[] } | undefined {
  if (canary === null) return undefined;
  const now = evidence === undefined ? at : new Date(evidence.at);
  const state = { startedAt: new Date(from), now, closedUntil: new Date(until), hasLatencyObjective, minutes };
  const judgement = judgeCanary(canary, state);
  return { judgement, series: canarySeries(canary, { ...state, until: new Date(judgement.decidedAt ?? now) }) };
}

function answeredBy(
  arm: Arm,
  counts: CanaryCounts | undefined,
  series: readonly CanaryPoint[],
): ArmCounts & Pick<ArmView, 'realised'> {
  const shares = series.flatMap(({ counts: each }) => {
    const all = each.candidate.requests + each.control.requests + each.champion.requests;
    return all === 0 ? [] : [each[arm].requests / all];
  });
  const realised =
    shares.length === 0
      ? null
      : { least: shares.reduce((a, b) => Math.min(a, b)), greatest: shares.reduce((a, b) => Math.max(a, b)) };
  return { ...NOTHING, ...counts?.[arm], realised };
}
