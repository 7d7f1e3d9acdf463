import type { DataRule } from '../policy/policy.ts';
import { type CheckedBatch, type CheckedPartition, failureText, type TrainingRows } from './data-check.ts';
import type { AdmittedPartition } from './partition.ts';
import { judgeRowCounts } from './row-counts.ts';
import { percent } from '../text.ts';
import type { Verdict } from '../gates/gate.ts';

type Partition = Pick<AdmittedPartition, 'kind' | 'day' | 'digest' | 'objects'>;

/** What is known of some data before training, or when it has arrived. */
export interface DataEvidence {
  /** The admitted partitions in their newest versions. */
  readonly catalogue: readonly Partition[];
  /** What the suites said of them, now or before. */
  readonly checked: readonly CheckedPartition[];
  /** The days of events that are judged; what comes before is a past to compare with. */
  readonly span: { readonly from: string; readonly to: string };
  /** The partitions whose expectations count, which may be older versions than the newest. */
  readonly used: readonly Pick<Partition, 'kind' | 'day' | 'digest'>[];
  /** Partitions that could not be validated because their bytes are not those that were admitted, and why. */
  readonly refused: readonly (Pick<Partition, 'kind' | 'day' | 'digest'> & { readonly reason: string })[];
  /** Before training: the rows, and what the suite said of them. Null for what has just arrived. */
  readonly training:
    | { readonly rows: TrainingRows; readonly batch: CheckedBatch | undefined }
    | { readonly untrainable: readonly string[] }
    | null;
}

/** Whether data may be trained on. */
export interface DataJudgement {
  readonly verdict: Exclude<Verdict, 'NOT_APPLICABLE'>;
  readonly reasons: readonly string[];
}

/**
 * Judges data by the policy's rules: expectations, rows against what is usual, days that are there twice or were
 * withdrawn, labels that have not arrived, and inputs that know the label. Whatever was not looked at has not passed.
 */
export function judgeData(evidence: DataEvidence, rule: DataRule): DataJudgement {
  const { span, training } = evidence;
  const counted = countRows(evidence, rule);
  const reasons = [
    ...unmet(evidence),
    ...counted.reasons,
    ...twice(evidence),
    ...(training === null ? [] : [...withdrawn(evidence, rule), ...judgeTraining(training, rule)]),
  ];
  if (reasons.length > 0) return { verdict: 'FAIL', reasons };
  // What arrives in a source's first weeks has no past; what is trained on needs one.
  if (training !== null && counted.verdict !== 'PASS') {
    const needed = `${rule.rowCounts.minimumWeeks} weeks before a day`;
    return {
      verdict: 'INCONCLUSIVE',
      reasons: [`no day from ${span.from} to ${span.to} has a past to compare its rows with: ${needed} are needed`],
    };
  }
  return { verdict: 'PASS', reasons: [] };
}

/** What the program of the checks calls a partition that features refuse. */
const UNREADABLE = 'expect_partition_to_be_readable';

/** Expectations that were not met, and data that no suite has seen. */
function unmet({ used, checked, catalogue, refused, training }: DataEvidence): string[] {
  const of = new Map(checked.map((each) => [`${each.kind} ${each.day} ${each.digest}`, each]));
  const empty = new Set(
    catalogue.filter(({ objects }) => objects.length === 0).map(({ kind, day, digest }) => `${kind} ${day} ${digest}`),
  );
  // What cannot be read at all comes first: it is the cause of much that follows.
  const rank = ({ kind, day, digest }: (typeof used)[number]): number =>
    of.get(`${kind} ${day} ${digest}`)?.failures.some(({ expectation }) => expectation === UNREADABLE) === true ? 0 : 1;
  const partitions = used
    .toSorted((a, b) => rank(a) - rank(b))
    .flatMap((part) => {
      const key = `${part.kind} ${part.day} ${part.digest}`;
      const found = of.get(key);
      if (found !== undefined) return found.failures.map((failure) => failureText(found, failure));
      const why = refused.find(({ kind, day, digest }) => `${kind} ${day} ${digest}` === key)?.reason;
      if (why !== undefined) return [why];
      return empty.has(key)
        ? []
        : [`${part.kind} of ${part.day} (${part.digest.slice(0, 19)}): no suite has looked at it`];
    });
  if (training === null) return partitions;
  if ('untrainable' in training) return [...partitions, ...training.untrainable];
  const { batch } = training;
  if (batch === undefined) return [...partitions, 'no suite has looked at the training rows'];
  return [...partitions, ...batch.failures.map((failure) => failureText(batch, failure))];
}

function countRows({ catalogue, checked, span }: DataEvidence, rule: DataRule) {
  const current = new Set(
    catalogue
      .filter(({ kind, objects }) => kind === 'events' && objects.length > 0)
      .map(({ day, digest }) => `${day} ${digest}`),
  );
  const rows = checked.filter(
    ({ kind, day, digest }) => kind === 'events' && day <= span.to && current.has(`${day} ${digest}`),
  );
  return judgeRowCounts(rows, rule.rowCounts, span.from);
}

/** The same rows under two days: a source that repeats itself looks healthy in every other respect. Days without rows are alike. */
function twice({ catalogue, checked, span }: DataEvidence): string[] {
  const empty = new Set(
    checked.filter(({ kind, rows }) => kind === 'events' && rows === 0).map(({ day, digest }) => `${day} ${digest}`),
  );
  const days = catalogue.filter(
    ({ kind, day, digest, objects }) =>
      kind === 'events' && objects.length > 0 && day <= span.to && !empty.has(`${day} ${digest}`),
  );
  return [...Map.groupBy(days, ({ digest }) => digest)].flatMap(([, same]) => {
    const named = same.map(({ day }) => day).toSorted();
    return named.length > 1 && (named.at(-1) ?? '') >= span.from
      ? [`events of ${named.join(' and of ')} are the same bytes`]
      : [];
  });
}

/** A day that was withdrawn at its source is empty by somebody's act; many of them are no history any more. */
function withdrawn({ catalogue, span }: DataEvidence, { withdrawn: allowed }: DataRule): string[] {
  if (allowed === undefined) return [];
  const days = catalogue.filter(({ kind, day }) => kind === 'events' && day >= span.from && day <= span.to);
  const empty = days.filter(({ objects }) => objects.length === 0);
  return empty.length > allowed * days.length
    ? [`${empty.length} of ${days.length} days of events were withdrawn, allowed: ${percent(allowed, 1)} of them`]
    : [];
}

function judgeTraining(training: NonNullable<DataEvidence['training']>, rule: DataRule): string[] {
  if ('untrainable' in training) return [];
  const { rows } = training;
  const { labelCoverage, unmatchedLabels, earlyLabels, replacedLabels, leakageAuc } = rule;
  const { due, unmatched, labelled, early, labels, replaced } = rows.joins;
  const coverage = rows.events === 0 ? 0 : rows.rows / rows.events;
  const unlabelled =
    labelCoverage !== undefined && !(coverage >= labelCoverage)
      ? [
          `${percent(coverage, 1)} of the ${rows.events} training events have a label, needed: ${percent(labelCoverage, 1)}; labels are missing, or the horizon is longer than labels.matureAfterDays`,
        ]
      : [];
  const knowing = rows.inputs.filter(({ auc }) => leakageAuc !== undefined && auc !== null && !(auc <= leakageAuc));
  const unknown = tooMany(
    unmatched,
    due,
    unmatchedLabels,
    'labels meet no event',
    'compare the ids of events and labels',
  );
  return [
    ...unlabelled,
    ...unknown,
    ...tooMany(early, labelled, earlyLabels, 'labels arrived before their event', 'compare the clocks of both sources'),
    ...tooMany(
      replaced,
      labels,
      replacedLabels,
      'labels are replaced by a later one',
      'a source repeats or corrects itself',
    ),
    ...knowing.map(
      ({ column, auc }) =>
        `${column} alone tells the label with an AUC of ${(auc ?? Number.NaN).toFixed(3)}, allowed: ${String(leakageAuc)}; does it exist only after the event?`,
    ),
  ];
}

/** The refusal of some labels that are more of all than a rule allows. */
function tooMany(some: number, all: number, allowed: number | undefined, what: string, remedy: string): string[] {
  return allowed !== undefined && some > allowed * all
    ? [`${percent(some / all, 1)} of ${all} ${what}, allowed: ${percent(allowed, 1)}; ${remedy}`]
    : [];
}
