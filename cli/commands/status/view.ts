import { type Report, type Section, shortDigest, shortTime } from '../../report.ts';
import type { PendingPropagation } from '#domain/promotion/pointer.ts';
import { clock, type Progress } from '../../progress/progress.ts';
import type { FoundIncident } from '../incident/find.ts';
import { incidentsSection } from '../incident/list.ts';
import { type Attention, attentionSections } from './attention.ts';
import type { EnvironmentStatus, ModelStatus } from './collect.ts';
import { readinessLines } from './readiness.ts';
import { daysText, refusalSections } from './refusals.ts';
import { percent } from '#domain/text.ts';

/** The state of models, for people and for programs. */
export function statusReport(
  models: readonly ModelStatus[],
  now: Date,
  attention: readonly Attention[],
  incidents: readonly FoundIncident[],
): Report {
  return {
    data: {
      models,
      attention,
      incidents: incidents.map(({ environment, incident }) => ({ environment, ...incident })),
    },
    sections: [
      ...(incidents.length === 0 ? [] : [{ title: 'open incidents', ...incidentsSection(incidents, now, '') }]),
      ...attentionSections(attention),
      ...models.flatMap((each) => sectionsOf(each, now)),
    ],
  };
}

function sectionsOf({ model, environments, atWork, releases, refusals }: ModelStatus, now: Date): readonly Section[] {
  const open = environments.flatMap(({ environment, promotions }) =>
    promotions.map((promotion) => ({ environment, ...promotion })),
  );
  return [
    {
      title: model,
      columns: ['environment', 'version', 'release', 'status', 'since', 'goes back to', 'predictions'],
      rows: environments.map((status) => [
        status.environment,
        status.isDeployed ? (status.version ?? 'nothing') : 'not deployed',
        shortDigest(status.release),
        authorityKindOf(status),
        shortTime(status.since),
        status.lastConfirmed ?? '-',
        coverage(status),
      ]),
    },
    ...environments.flatMap(({ environment, rollbackReadiness: ready }) => {
      const lines = ready === undefined ? [] : readinessLines(environment, ready, now);
      return lines.length === 0 ? [] : [{ lines }];
    }),
    ...environments.flatMap(({ environment, level }) => (level === undefined ? [] : levelSections(environment, level))),
    ...refusalSections('refused, and not mended yet', refusals),
    ...environments.flatMap(({ environment, pendingPropagation }) =>
      pendingPropagation === undefined ? [] : [propagationSection(environment, pendingPropagation)],
    ),
    ...environments.flatMap(({ environment, review }) =>
      review === undefined ? [] : [reviewSection(environment, review)],
    ),
    ...environments.flatMap(({ environment, answers }) =>
      answers === undefined ? [] : [answersSection(environment, answers)],
    ),
    ...environments.flatMap(({ environment, drift }) =>
      drift === undefined ? [] : [driftSection(model, environment, drift)],
    ),
    ...(open.length === 0
      ? []
      : [
          {
            title: 'promotions in progress',
            columns: ['promotion', 'into', 'version', 'state', 'requested by', 'waits for', 'until'],
            rows: open.map(({ promotion, environment, version, status, requestedBy, waitsFor, watched, until }) => [
              promotion,
              environment,
              version,
              status,
              requestedBy,
              watched === undefined ? waitsFor.join(', ') || '-' : `${watched}\ngatehouse promotion watch ${promotion}`,
              shortTime(until),
            ]),
          },
        ]),
    ...(atWork.length === 0
      ? []
      : [
          {
            title: 'running',
            columns: ['environment', 'machine', 'execution', 'for', 'what', 'then'],
            rows: atWork.map(({ environment, machine, execution, progress }) => [
              environment,
              machine,
              execution,
              clock(progress.milliseconds),
              `${progress.now ?? 'beginning'}${stateClock(progress)}`,
              progress.next ?? '-',
            ]),
          },
        ]),
    {
      title: 'newest releases',
      columns: ['version', 'release', 'kind', 'stage', 'owner', 'registered'],
      rows: releases.map(({ version, release, kind, stage, owner, at }) => [
        version,
        shortDigest(release),
        kind,
        stage,
        owner,
        shortTime(at),
      ]),
      empty: 'none is registered; train one: gatehouse run start MODEL',
    },
  ];
}

/** The days that are overdue, with what keeps them; nothing where the service level is kept. */
function levelSections(environment: string, level: NonNullable<EnvironmentStatus['level']>): readonly Section[] {
  if (typeof level === 'string')
    return [{ lines: [`${environment}: whether predictions are on time is not known: ${level}`] }];
  const { hours, newest, overdue } = level;
  if (overdue.length === 0) return [];
  const causes = Map.groupBy(overdue, ({ cause }) => cause);
  return [
    {
      lines: [
        `${environment} is overdue: ${overdue.length} days have no predictions within ${hours} h of their arrival; newest day scored: ${newest ?? 'none'}`,
        ...[...causes].map(([cause, same]) => `  ${daysText(same.map(({ day }) => day))}: ${cause}`),
      ],
    },
  ];
}

/** How long the state has lasted in which an execution is, where its words do not say that. */
function stateClock({ now, steps }: Progress): string {
  const last = steps.at(-1);
  return last === undefined || now === undefined || /[\d:]{4,}$|Z$/.test(now) ? '' : `, ${clock(last.milliseconds)}`;
}

/** What a hotfix owes, and what follows from it. */
function propagationSection(environment: string, { version, since, promotion }: PendingPropagation): Section {
  return {
    lines: [
      `${environment}: the hotfix ${version} (${promotion}) is not propagated since ${shortTime(since)}`,
      '  no other release is promoted until staging carries it, unless it is a hotfix, or this one is rolled back',
    ],
  };
}

/** What the labels that have arrived say of what is served, how many there are, and what would change it. */
function reviewSection(environment: string, review: NonNullable<EnvironmentStatus['review']>): Section {
  const { served, matured, share } = review.maturity;
  const labels = `${matured} of ${served} rows have a label (${percent(share, 0)})`;
  return {
    lines: [
      `${environment} was reviewed as of ${review.asOf ?? '-'} (${review.run}): ${review.status}, ${labels}`,
      `  ${review.reason}`,
      `  what would change it: ${review.change}`,
    ],
  };
}

/** Days of answers that are shown. */
const ANSWERED_DAYS = 5;

/** What was answered on request, and its loss beside that of published predictions of the same events. */
function answersSection(
  environment: string,
  { asOf, days, reason }: NonNullable<EnvironmentStatus['answers']>,
): Section {
  if (reason !== '') return { lines: [`answers on request in ${environment} are NOT MEASURED: ${reason}`] };
  const shown = (value: number | undefined | null): string => value?.toFixed(4) ?? '-';
  return {
    title: `answered on request in ${environment}, labels as of ${asOf ?? '-'}`,
    columns: [
      'day',
      'arm',
      'release',
      'answers',
      'with label',
      'log loss',
      'log loss of the batch',
      'not as the batch',
    ],
    rows: days
      .slice(0, ANSWERED_DAYS)
      .map((each) => [
        each.day,
        each.arm,
        shortDigest(each.release),
        String(each.answers),
        String(each.labelled),
        shown(each.loss),
        each.pairedLoss === null ? '-' : `${shown(each.pairedLoss.batch)} (answers: ${shown(each.pairedLoss.answers)})`,
        String(each.different),
      ]),
  };
}

/** What the newest check of drift found, and where the rest of it is. */
function driftSection(model: string, environment: string, drift: NonNullable<EnvironmentStatus['drift']>): Section {
  const moved = drift.moved.length === 0 ? '' : `, moved: ${drift.moved.join(', ')}`;
  return {
    lines: [
      `${environment} drift as of ${drift.asOf ?? '-'}: ${drift.status}${moved}; see: gatehouse status ${model} --drift`,
    ],
  };
}

/** Whether what is served is confirmed, or served on probation only. */
function authorityKindOf({ pointerStatus, until, isOverdue }: EnvironmentStatus): string {
  if (until === undefined) return pointerStatus ?? '-';
  return `provisional until ${shortTime(until)}${isOverdue === true ? ', overdue' : ''}`;
}

function coverage({ predictions, level }: EnvironmentStatus): string {
  if (predictions === undefined) return '-';
  const late = level === undefined || typeof level === 'string' ? 0 : level.overdue.length;
  const days = `${predictions.partitions} days${predictions.newest === null ? '' : ` until ${predictions.newest}`}`;
  const outdated = predictions.outdated === 0 ? '' : `, ${predictions.outdated} of another release`;
  return `${days}${outdated}${late === 0 ? '' : `, ${late} overdue`}${predictions.isReconciling ? ', being reconciled' : ''}`;
}
