import { z } from 'zod';
import { type CheckedPartition, CheckedPartitions, failureText } from '#domain/data/data-check.ts';
import { type AdmittedPartition, addDays, daysBetween } from '#domain/data/partition.ts';
import { joinLines } from '#domain/data/label-joins.ts';
import { ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import { readDocument } from '#ports/documents.ts';
import { findCheckedData } from '#read-model/checked-data.ts';
import { readPartitions } from '#read-model/partitions.ts';
import type { Run } from '../../context.ts';
import { refuse, RefusedError } from '../../refusal.ts';
import type { Cloud } from '../../cloud.ts';
import { modelFolder } from '../../references.ts';
import type { Report } from '../../report.ts';
import { refusalSections, refusalsThere, type RefusalThere } from '../status/refusals.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['dev', 'staging', 'prod'], 'dev');
  const cloud = context.cloud(environment);
  const { ledger } = cloud;
  const [events, labels] = await Promise.all([
    readPartitions(ledger, model, 'events'),
    readPartitions(ledger, model, 'labels'),
  ]);
  const { labels: rule } = await compileModel(await modelFolder(context, model));
  const check = checkData(events, labels, rule.matureAfterDays);
  const looked = await lookedAt(cloud, model, [...events, ...labels]);
  const refusals = (await refusalsThere(cloud, model)).filter(({ kind }) => kind !== 'predictions');
  context.print(dataReport(model, environment, check, looked, refusals));
  const [refused] = refusals;
  if (refused !== undefined)
    throw new RefusedError({
      ...refused,
      found: `${refused.found}; ${refusals.length} partitions are refused, first: ${refused.kind} of ${refused.day}`,
    });
  const missing = [
    ...check.missingEvents.map((day) => `events of ${day}`),
    ...check.missingLabels.map((day) => `labels of ${day}`),
  ];
  if (missing.length > 0)
    refuse(
      'data-whole',
      `missing: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''}`,
      'let the producer write these partitions and their ready markers',
    );
  if (looked !== undefined) mustBeMet(looked);
};

/** Refuses data that does not meet its expectations. */
export function mustBeMet({ failures, groups: [group, ...others] }: Pick<LookedAt, 'failures' | 'groups'>): void {
  if (group === undefined) return;
  refuse(
    'data-expectations',
    `${failures.length} expectations are not met: ${group}${others.length === 0 ? '' : `; and ${others.length} others`}`,
    'have the producer write the day again with its marker; nothing is trained on it as it is',
  );
}

/** What the suites have said of the partitions as they are now. */
export interface LookedAt {
  readonly seen: number;
  readonly unseen: number;
  /** One for each expectation that is not met. */
  readonly failures: readonly string[];
  /** The same by kind and expectation: a line for all days. */
  readonly groups: readonly string[];
  /** What the join of events and labels lost in the run whose rows were checked last. */
  readonly training?: NonNullable<CheckedPartitions['training']>;
}

/** Undefined where no check has been recorded: suites are run in dev, and what they say goes by digest. */
async function lookedAt(
  cloud: Cloud,
  model: string,
  partitions: readonly AdmittedPartition[],
): Promise<LookedAt | undefined> {
  const found = await findCheckedData(cloud.ledger, model);
  if (found === undefined) return undefined;
  const checks = await readDocument(cloud.documents, CheckedPartitions, found.document);
  return { ...inspect(checks.partitions, partitions), ...(checks.training && { training: checks.training }) };
}

/** Holds what was checked against what is admitted: a corrected partition has not been seen yet. */
export function inspect(
  checked: readonly CheckedPartition[],
  partitions: readonly Pick<AdmittedPartition, 'kind' | 'day' | 'digest' | 'objects'>[],
): LookedAt {
  const of = new Map(checked.map((each) => [`${each.kind} ${each.day} ${each.digest}`, each]));
  const current = partitions.filter(({ objects }) => objects.length > 0);
  const seen = current.flatMap(({ kind, day, digest }) => of.get(`${kind} ${day} ${digest}`) ?? []);
  return {
    seen: seen.length,
    unseen: current.length - seen.length,
    failures: seen.flatMap((each) => each.failures.map((failure) => failureText(each, failure))),
    groups: groupsOf(seen),
  };
}

/** Expectations that are not met, each once: on how many days, from when to when, and what was found on the newest. */
function groupsOf(seen: readonly CheckedPartition[]): readonly string[] {
  const failures = seen.flatMap(({ kind, day, failures: own }) => own.map((failure) => ({ kind, day, ...failure })));
  const groups = Map.groupBy(failures, ({ kind, expectation, about }) => `${kind} ${expectation}(${about})`);
  return [...groups.values()].map((same) => {
    const days = same.toSorted((a, b) => (a.day < b.day ? -1 : 1));
    const [first, last] = [days[0], days.at(-1)] as [(typeof days)[number], (typeof days)[number]];
    if (days.length === 1) return failureText(first, first);
    return `${first.kind} of ${days.length} days from ${first.day} to ${last.day}: ${first.expectation}(${first.about}): on the last ${last.found}`;
  });
}

/** What there is to say about a model's partitions. */
export interface DataCheck {
  readonly events: { readonly days: number; readonly first: string | null; readonly last: string | null };
  readonly labels: { readonly days: number; readonly first: string | null; readonly last: string | null };
  readonly missingEvents: readonly string[];
  readonly missingLabels: readonly string[];
  /** Days of events whose labels cannot all have arrived yet. */
  readonly unlabeled: readonly string[];
  /** Partitions of which there is more than one version. */
  readonly corrected: readonly { readonly kind: string; readonly day: string; readonly version: number }[];
}

/** Gaps, days that wait for labels, and corrections; what comes before the first partition is no gap. */
export function checkData(
  events: readonly Pick<AdmittedPartition, 'kind' | 'day' | 'version'>[],
  labels: readonly Pick<AdmittedPartition, 'kind' | 'day' | 'version'>[],
  matureAfterDays: number,
): DataCheck {
  const newestLabels = labels.at(-1)?.day;
  return {
    events: span(events),
    labels: span(labels),
    missingEvents: gaps(events),
    missingLabels: gaps(labels),
    unlabeled: events
      .map(({ day }) => day)
      .filter((day) => newestLabels === undefined || addDays(day, matureAfterDays) > newestLabels),
    corrected: [...events, ...labels]
      .filter(({ version }) => version > 1)
      .map(({ kind, day, version }) => ({ kind, day, version })),
  };
}

function span(partitions: readonly { readonly day: string }[]): DataCheck['events'] {
  return { days: partitions.length, first: partitions[0]?.day ?? null, last: partitions.at(-1)?.day ?? null };
}

function gaps(partitions: readonly { readonly day: string }[]): readonly string[] {
  const [first, last] = [partitions[0]?.day, partitions.at(-1)?.day];
  if (first === undefined || last === undefined) return [];
  const there = new Set(partitions.map(({ day }) => day));
  return daysBetween(first, last).filter((day) => !there.has(day));
}

function dataReport(
  model: string,
  environment: string,
  check: DataCheck,
  looked: LookedAt | undefined,
  refusals: readonly RefusalThere[],
): Report {
  const row = (kind: 'events' | 'labels', missing: readonly string[]): readonly string[] => {
    const { days, first, last } = check[kind];
    return [
      kind,
      String(days),
      first ?? '-',
      last ?? '-',
      String(missing.length),
      missing.slice(0, 6).join(', ') || '-',
    ];
  };
  const [first, last] = [check.unlabeled[0], check.unlabeled.at(-1)];
  return {
    data: { model, environment, ...check, expectations: looked ?? null, refusals },
    sections: [
      {
        title: `${model} in ${environment}`,
        columns: ['kind', 'days', 'first', 'last', 'gaps', 'missing'],
        rows: [row('events', check.missingEvents), row('labels', check.missingLabels)],
      },
      ...refusalSections('refused at admission, and not mended yet', refusals),
      {
        lines: [
          first === undefined
            ? 'every day’s labels have arrived'
            : `${check.unlabeled.length} days wait for labels: ${first} to ${last ?? first}`,
          check.corrected.length === 0
            ? 'no partition was corrected'
            : `corrected: ${check.corrected.map(({ kind, day, version }) => `${kind} of ${day} (version ${version})`).join(', ')}`,
          looked === undefined
            ? 'no suite of expectations has looked at anything here'
            : `expectations: ${looked.seen} partitions looked at, ${looked.unseen} not yet, ${looked.failures.length} not met`,
        ],
      },
      ...(looked?.training === undefined || joinLines(looked.training.joins).length === 0
        ? []
        : [
            {
              title: `labels and events of run ${looked.training.run}`,
              lines: joinLines(looked.training.joins),
            },
          ]),
      ...(looked === undefined || looked.failures.length === 0
        ? []
        : [{ title: 'expectations that are not met', lines: looked.groups.slice(0, 20) }]),
    ],
  };
}
