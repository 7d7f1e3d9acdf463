import type { AttestationRule } from '../../policy/attestations.ts';
import { type AttestedCase, fails, inconclusive, judgeNewest } from '../attested.ts';
import type { LoadFinding } from '../../attestation/finding.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What would turn its verdict. */
export const loadRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL'
    ? 'make it faster, or try again where nothing else runs: gatehouse attest load --release REL --env staging'
    : 'let staging measure it: gatehouse attest load --release REL --env staging';

/** What a run of load is compared with. */
export interface LoadTarget {
  /** Milliseconds within which 99 of 100 requests are to be answered; null where the model answers none. */
  readonly objectiveMs: number | null;
  /** Requests by second of the baseline, or null where there is none yet. */
  readonly baseline: number | null;
}

/** Does its endpoint answer within the model's objective, and as many requests as the baseline did? */
export function load(given: AttestedCase, { objectiveMs, baseline }: LoadTarget): GateResult {
  if (objectiveMs === null)
    return { verdict: 'NOT_APPLICABLE', reasons: ['the model answers no requests'], numbers: {} };
  const { load: rule } = given.rule;
  return judgeNewest('load', given, 'load', rule.validDays, ({ finding }) =>
    judgeLoad(finding, rule, objectiveMs, rule.baseline ?? baseline),
  );
}

function judgeLoad(
  { requests, failed, throughput, latencyMs: { p99 }, seconds }: LoadFinding,
  { failures, shareOfBaseline }: AttestationRule['load'],
  objectiveMs: number,
  baseline: number | null,
): GateResult {
  const needed = baseline === null ? null : baseline * shareOfBaseline;
  const numbers = {
    requests,
    failed,
    throughput,
    objectiveMs,
    ...(p99 === null ? {} : { latencyP99Ms: p99 }),
    ...(baseline === null ? {} : { baseline }),
  };
  if (requests === 0 || p99 === null || !(seconds > 0))
    return inconclusive([`${requests} requests in ${seconds} s: nothing was measured`], numbers);
  const wrong = [
    ...(failed <= failures * requests ? [] : [`${failed} of ${requests} requests failed`]),
    ...(p99 <= objectiveMs ? [] : [`99 of 100 answers took up to ${p99} ms, the objective is ${objectiveMs} ms`]),
    ...(needed === null || throughput >= needed
      ? []
      : [
          `${throughput.toFixed(1)} requests a second, ${needed.toFixed(1)} are needed: ${shareOfBaseline} of the baseline`,
        ]),
  ];
  if (wrong.length > 0) return fails(wrong, numbers);
  const than = baseline === null ? 'no baseline yet' : `baseline ${baseline.toFixed(1)}`;
  return {
    verdict: 'PASS',
    reasons: [`p99 ${p99} ms of ${objectiveMs}, ${throughput.toFixed(1)} requests a second (${than})`],
    numbers,
  };
}

/** The throughput that a gate's verdict went by, so that it can be judged again. */
export function targetOf(numbers: Readonly<Record<string, number>>): LoadTarget {
  return { objectiveMs: numbers['objectiveMs'] ?? null, baseline: numbers['baseline'] ?? null };
}
