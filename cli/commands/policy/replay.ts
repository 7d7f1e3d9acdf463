import { type ComparisonMeasure, StoredMeasure } from '#domain/comparison/measure.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import { MEASURED_GATES } from '#domain/gates/measured.ts';
import type { ComparisonRule, Policy } from '#domain/policy/policy.ts';
import { readDocument } from '#ports/documents.ts';
import { readStoredEvidence } from '#read-model/grounds.ts';
import { readPromotions } from '#read-model/promotions.ts';
import type { Cloud } from '../../cloud.ts';
import { watchAgain } from './replay-canary.ts';

/** What a gate said of a past promotion, and what it would say under another policy. */
export interface Replayed {
  readonly promotion: string;
  readonly version: string;
  readonly openedAt: string;
  readonly gate: string;
  readonly said: string;
  readonly wouldSay: string;
  readonly reasons: readonly string[];
}

/** Judges the measurements of an environment's past promotions once more, by a policy that is not in force. */
export async function replayPromotions(cloud: Cloud, model: string, policy: Policy): Promise<readonly Replayed[]> {
  const replayed: Replayed[] = [];
  for (const promotion of await readPromotions(cloud.ledger, model)) {
    const { version, openedAt } = promotion;
    for (const { evidence } of await readStoredEvidence(cloud.ledger, promotion)) {
      const { gate, measure: digest } = evidence;
      if (evidence.promotion !== promotion.promotion || digest === null) continue;
      const watched = await watchAgain(cloud, promotion, evidence, policy);
      if (watched !== undefined) replayed.push({ promotion: promotion.promotion, version, openedAt, gate, ...watched });
      if (!isMeasured(gate)) continue;
      const measure = await readDocument(cloud.documents, StoredMeasure, digest);
      const unmeasured = whyUnmeasured(measure, policy.comparison);
      const judged = unmeasured === undefined ? MEASURED_GATES[gate](measure, policy.comparison) : undefined;
      replayed.push({
        promotion: promotion.promotion,
        version,
        openedAt,
        gate,
        said: verdictOf(evidence),
        wouldSay: judged === undefined ? 'NOT MEASURED' : verdictOf(judged),
        reasons: judged?.reasons ?? [unmeasured ?? ''],
      });
    }
  }
  return replayed;
}

function isMeasured(gate: string): gate is keyof typeof MEASURED_GATES {
  return gate in MEASURED_GATES;
}

function verdictOf({ verdict, provisional }: Pick<Evidence, 'verdict' | 'provisional'>): string {
  return provisional === true ? `${verdict} provisionally` : verdict;
}

/** What a rule asks for that was not measured at the time: sums by other groups of rows. */
function whyUnmeasured(measure: ComparisonMeasure, { cluster, slices }: ComparisonRule): string | undefined {
  if (measure.clusterColumn !== cluster) return `it was measured by ${measure.clusterColumn}, not by ${cluster}`;
  const missing = slices.columns.filter((column) => !measure.slices.some((slice) => slice.column === column));
  return missing.length === 0 ? undefined : `it was not measured by ${missing.join(', ')}`;
}
