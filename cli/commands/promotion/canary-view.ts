import type { CanaryJudgement } from '#domain/canary/judge.ts';
import type { TrafficPlan } from '#domain/promotion/pointer.ts';
import { percent } from '#domain/text.ts';
import { logPlot } from '../../plot.ts';
import { duration, type Section, shortDigest, shortTime } from '../../report.ts';
import type { ArmView, CanaryView } from './watched-canary.ts';

export const KINDS: Readonly<Record<TrafficPlan['kind'], string>> = {
  canary: 'canary',
  ab: 'A/B test',
  'blue-green': 'blue/green release',
};

/** A canary as tables, lines and a picture. */
export function canarySections(canary: CanaryView, isUnderWay: boolean, now: Date): readonly Section[] {
  const { kind, arms, judgement, recorded, startedAt } = canary;
  const said = recorded === null ? (judgement?.verdict ?? 'not judged yet') : recorded.verdict;
  const title = `${KINDS[kind]} since ${shortTime(startedAt)}: ${said}`;
  const lines = linesOf(canary, isUnderWay, now).map((line) => `  ${line}`);
  if (judgement === null) return [{ title, lines }];
  return [
    {
      title,
      columns: ['arm', 'release', 'share planned', 'realised', 'requests', 'errors', 'slow', 'late'],
      rows: arms.map((arm) => [
        arm.arm,
        shortDigest(arm.release),
        percent(arm.share, 0),
        realisedText(arm.realised),
        String(arm.requests),
        rateText(arm.errors, arm.requests),
        judgement.eValues.latency === null ? '-' : rateText(arm.slow, arm.requests),
        rateText(arm.late, arm.requests),
      ]),
    },
    evidenceSection(judgement.eValues, kind),
    { lines },
    ...pictureOf(canary),
  ];
}

function evidenceSection({ limit, ...values }: CanaryJudgement['eValues'], kind: TrafficPlan['kind']): Section {
  const rows: (readonly [string, number | null, string])[] = [
    ['more errors than the champion', values.errors, ''],
    ['more slow answers than the control arm', values.latency, ''],
    ['regression: the mean of both', values.regression, 'aborts'],
    [
      'not bad: an error rate that is tolerated',
      values.notBad,
      kind === 'ab' ? 'is reported' : 'finishes, after the hours',
    ],
  ];
  return {
    title: 'evidence',
    columns: ['for', 'e-value', `at ${limit}`],
    rows: rows.map(([what, value, leads]) => [what, value === null ? 'no objective' : evidenceText(value), leads]),
  };
}

function linesOf(canary: CanaryView, isUnderWay: boolean, now: Date): readonly string[] {
  const { kind, judgement, recorded, hours, deadline, startedAt, lastLook, source, countedUntil, whyNotCounted } =
    canary;
  const left = Date.parse(deadline) - now.getTime();
  const until = isUnderWay ? [`deadline ${shortTime(deadline)}${left > 0 ? `, in ${duration(left)}` : ', over'}`] : [];
  if (kind === 'blue-green')
    return [
      ...(isUnderWay
        ? [`the candidate is loaded beside the champion; it is switched to ${hours} h after ${shortTime(startedAt)}`]
        : []),
      ...(recorded?.reasons ?? []),
      ...until,
    ];
  const counted = source === null ? [] : [`counted until ${shortTime(countedUntil)} ${SOURCES[source]}`];
  const looked =
    lastLook === null
      ? []
      : [`last look of the execution${lastLook.at === null ? '' : ` at ${shortTime(lastLook.at)}`}: ${lastLook.found}`];
  return [
    ...(judgement === null ? [] : minutesLines(canary, judgement, isUnderWay)),
    ...until,
    ...counted,
    ...(whyNotCounted === null ? [] : [whyNotCounted]),
    ...looked,
    ...(recorded === null
      ? []
      : recorded.reasons.map((reason) => `verdict ${recorded.verdict} at ${shortTime(recorded.at)}: ${reason}`)),
    ...(kind === 'ab' ? ['an A/B test promotes nothing: request the release without --ab'] : []),
  ];
}

function minutesLines(
  { requestsToProof, kind }: CanaryView,
  judgement: CanaryJudgement,
  isUnderWay: boolean,
): readonly string[] {
  const { minutes, minutesNeeded, unusable, verdict, found, counts } = judgement;
  const proof =
    requestsToProof === null
      ? 'by the rates so far more requests do not prove that it is not bad'
      : requestsToProof === 0
        ? 'it is proven not to be bad'
        : `about ${requestsToProof} requests of the candidate are still needed to prove that it is not bad`;
  return [
    `${minutes} of ${minutesNeeded} minutes with traffic${unusable === 0 ? '' : `; ${unusable} minutes are no counts`}`,
    ...(isUnderWay && kind !== 'ab' && counts.candidate.requests > 0 ? [proof] : []),
    ...(isUnderWay ? [`judged now: ${verdict}: ${found}`] : []),
  ];
}

const SOURCES = {
  evidence: 'from the minutes that its gate judged',
  'request-log': 'from the request log, by its closed minutes',
  'last-look': 'by the last look of the execution',
} as const;

/** Evidence over the minutes of the canary, by its logarithm. */
function pictureOf({ series, startedAt, judgement }: CanaryView): readonly Section[] {
  const last = series.at(-1);
  if (last === undefined || judgement === null) return [];
  const drawn = (mark: string, name: string, valueOf: (eValues: CanaryJudgement['eValues']) => number) => ({
    mark,
    name,
    points: series.map(({ at, eValues }) => ({ at: Date.parse(at), value: valueOf(eValues) })),
  });
  return [
    {
      title: 'e-values by the minute',
      lines: logPlot(
        [drawn('*', 'regression', ({ regression }) => regression), drawn('o', 'not bad', ({ notBad }) => notBad)],
        { limit: judgement.eValues.limit, from: Date.parse(startedAt), until: Date.parse(last.at) },
      ),
    },
  ];
}

/** An e-value as people compare it with its limit. */
export function evidenceText(value: number): string {
  if (value < 0.001) return '< 0.001';
  return value >= 1_000_000 ? '> 1 million' : value >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function rateText(count: number, requests: number): string {
  return requests === 0 ? String(count) : `${count} (${percent(count / requests)})`;
}

function realisedText(realised: ArmView['realised']): string {
  return realised === null ? '-' : `${percent(realised.least, 1)} - ${percent(realised.greatest, 1)}`;
}
