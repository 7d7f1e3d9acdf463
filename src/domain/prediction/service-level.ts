import type { AdmittedPartition } from '../data/partition.ts';
import type { OpenRefusal } from '../data/open-refusal.ts';
import { refusalText } from '../refusal/refusal.ts';
import type { ModelDefinition } from '../model/definition.ts';
import type { Pointer } from '../promotion/pointer.ts';
import { type WaitingDay, waitingForRefused, waitingText } from './blocked.ts';
import type { PredictionManifest } from './manifest.ts';

/** A day whose predictions should have been published by `dueAt`, and why they are not. */
export interface OverdueDay {
  readonly day: string;
  readonly dueAt: string;
  readonly cause: string;
}

/** How an environment keeps `sla.predictionsWithinHours`. */
export interface ServiceLevel {
  readonly hours: number;
  /** The newest day that has predictions of the served release. */
  readonly newest: string | null;
  readonly overdue: readonly OverdueDay[];
}

/**
 * Which of the days that are kept scored are overdue. A day is due so many hours after its events were admitted (or refused),
 * or after the release began to serve, whichever is later; it is done by predictions of the served release that were published
 * since, or by those that a batch run would keep. Ages are counted from the arrival and not from the day, so that history which is landed late is not overdue at once.
 */
export function serviceLevel(
  state: {
    readonly definition: Pick<ModelDefinition, 'predictions' | 'sla'>;
    readonly pointer: Pick<Pointer, 'current' | 'at'>;
    readonly catalogue: readonly Pick<AdmittedPartition, 'kind' | 'day' | 'admittedAt'>[];
    readonly manifests: readonly Pick<PredictionManifest, 'day' | 'release' | 'publishedAt'>[];
    /** The days of which a batch run would keep what is published. */
    readonly kept: ReadonlySet<string>;
    readonly waiting: readonly WaitingDay[];
    readonly refusals: readonly OpenRefusal[];
  },
  now: Date,
): ServiceLevel {
  const { definition, pointer, catalogue, manifests, kept, waiting, refusals } = state;
  const hours = definition.sla.predictionsWithinHours;
  const served = new Map(
    manifests.filter(({ release }) => release === pointer.current).map(({ day, publishedAt }) => [day, publishedAt]),
  );
  const arrived = new Map<string, string>([
    ...refusals.filter(({ kind }) => kind === 'events').map(({ day, since }): [string, string] => [day, since]),
    ...catalogue
      .filter(({ kind }) => kind === 'events')
      .map(({ day, admittedAt }): [string, string] => [day, admittedAt]),
  ]);
  const days = [...arrived].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-definition.predictions.days);
  const overdue = days.flatMap(([day, at]): OverdueDay[] => {
    // Events that were corrected and came back as they were need no other predictions.
    if (kept.has(day) || (served.get(day) ?? '') >= at) return [];
    const dueAt = Math.max(Date.parse(at), Date.parse(pointer.at)) + hours * 3_600_000;
    if (now.getTime() <= dueAt) return [];
    return [{ day, dueAt: new Date(dueAt).toISOString(), cause: causeOf(day, waiting, refusals) }];
  });
  return { hours, newest: [...served.keys()].toSorted().at(-1) ?? null, overdue };
}

function causeOf(day: string, waiting: readonly WaitingDay[], refusals: readonly OpenRefusal[]): string {
  const own = refusals.find((refusal) => refusal.day === day && refusal.kind !== 'labels');
  if (own !== undefined) return refusalText(own);
  const waits = waiting.filter((each) => each.day === day);
  const [refused] = waitingForRefused(waits, refusals);
  if (refused !== undefined) return refusalText(refused);
  const [first] = waits;
  return first === undefined ? 'no batch run has published it' : waitingText(first);
}
