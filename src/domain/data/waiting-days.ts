import { isHidden, landedFiles } from './landed-files.ts';
import type { AdmittedPartition, PartitionKind } from './partition.ts';

/** An object in a landing bucket, and when it was written. */
export interface LandedObject {
  readonly key: string;
  readonly at: Date;
}

/** A day whose files have landed and are never admitted as they are, because nothing was written after them to say that they are whole. */
export interface WaitingDay {
  readonly kind: PartitionKind;
  /** As the producer names it. */
  readonly day: string;
  readonly why: 'no marker' | 'newer than its marker';
  readonly files: number;
  /** When the newest of them was written: a producer that is still at work has written lately. */
  readonly since: string;
  /** The marker to be written, once all files are there. */
  readonly marker: string;
}

/**
 * The days of a source that wait for their ready marker, the oldest first. A day that was withdrawn by removing its marker
 * does not wait, until something is written to it again; nor does one whose files were admitted after they were written.
 */
export function waitingDays(
  kind: PartitionKind,
  { source, readyMarker }: { readonly source: string; readonly readyMarker: string },
  objects: readonly LandedObject[],
  admitted: readonly Pick<AdmittedPartition, 'kind' | 'day' | 'admittedAt'>[],
): readonly WaitingDay[] {
  const decided = new Map(admitted.filter((each) => each.kind === kind).map((each) => [each.day, each.admittedAt]));
  const days = Map.groupBy(objects, ({ key }) => dayIn(source, key));
  return [...days]
    .flatMap(([day, own]): WaitingDay[] => {
      if (day === undefined) return [];
      const prefix = `${source}/dt=${day}/`;
      const marker = `${prefix}${readyMarker}`;
      const others = own.filter(({ key }) => key !== marker && !isHidden(key.slice(prefix.length)));
      const { data } = landedFiles(prefix, others);
      // Where nothing has the name of data, it is its names that have to be told.
      const files = data.length > 0 ? data : others;
      const since = files.map(({ at }) => at.toISOString()).reduce((a, b) => (a > b ? a : b), '');
      const ready = own.find(({ key }) => key === marker)?.at.toISOString();
      const isAnnounced = ready !== undefined && ready >= since;
      if (files.length === 0 || isAnnounced || (decided.get(day) ?? '') >= since) return [];
      const why = ready === undefined ? 'no marker' : 'newer than its marker';
      return [{ kind, day, why, files: files.length, since, marker }];
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** The day in whose folder an object lies, as its producer names it. */
function dayIn(source: string, key: string): string | undefined {
  return /^dt=([^/]+)\//.exec(key.startsWith(`${source}/`) ? key.slice(source.length + 1) : '')?.[1];
}
