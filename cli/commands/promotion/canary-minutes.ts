import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { countArms } from '#adapters/duckdb/arm-counts.ts';
import type { CanaryMinute } from '#domain/canary/counts.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { closedUntil } from '#domain/prediction/request-log.ts';
import { readDocument } from '#ports/documents.ts';
import type { Cloud } from '../../cloud.ts';

/** The minutes of a canary, and where they were read. */
export interface ReadMinutes {
  readonly source: 'evidence' | 'request-log' | 'last-look';
  /** Until when requests are counted. */
  readonly until: string;
  readonly minutes: readonly CanaryMinute[];
}

/** The minutes that a gate judged, or that an execution counted. */
export async function storedMinutes(
  { documents }: Pick<Cloud, 'documents'>,
  digest: Digest,
  source: 'evidence' | 'last-look',
): Promise<ReadMinutes & { readonly from: string }> {
  const { from, until, minutes } = await readDocument(documents, CanaryMinutes, digest);
  return { source, from, until, minutes };
}

/** Counts what each arm answered until now, from the request log as the person may read it. */
export async function minutesNow(
  { requests }: Pick<Cloud, 'requests'>,
  of: {
    readonly model: string;
    readonly from: string;
    readonly sincePointerSeq: number;
    /** Minutes after its end when a minute counts, as the policy says. */
    readonly closeMinutes: number;
    readonly objectiveMs: number | null;
  },
  now: Date,
): Promise<ReadMinutes> {
  const { model, from, closeMinutes, ...counted } = of;
  const until = closedUntil(now, closeMinutes).toISOString();
  const since = new Date(from);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-canary-'));
  try {
    // Any day of events may have been asked for, but none that has not come.
    const days = (await requests.days(model)).filter((day) => day <= until.slice(0, 10));
    const [failed, ...answered] = await Promise.all([
      requests.fetchFailed(model, folder, since),
      ...days.map((day) => requests.fetch(model, day, folder, since)),
    ]);
    const minutes = await countArms({ requests: answered.flat(), failed, from, until, ...counted });
    return { source: 'request-log', until, minutes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the document of a canary's execution says so far. */
const Document = z.looseObject({
  opened: z.looseObject({ objectiveMs: z.number().nullable().optional() }).optional(),
  measured: z.looseObject({ minutes: Digest }).optional(),
  look: z.looseObject({ found: z.string().optional() }).optional(),
});

/** An execution that watches a promotion, as it was at its last look. */
export interface LastLook {
  /** Milliseconds that the model promises; undefined before that is known, null where it promises none. */
  readonly objectiveMs: number | null | undefined;
  /** The minutes that it counted. */
  readonly minutes: Digest | undefined;
  /** What it found, and when. */
  readonly found: string | undefined;
  readonly at: string | undefined;
}

/** Reads the execution that watches a promotion, each time only what is new of it; undefined where none is under way. */
export function lookReader(cloud: Cloud, promotion: string): () => Promise<LastLook | undefined> {
  let known: { readonly arn: string; events: readonly HistoryEvent[] } | undefined;
  return async () => {
    const running = await cloud.executions.running(cloud.names.stateMachineArn('canary'));
    if (known === undefined || !running.includes(known.arn)) {
      known = undefined;
      for (const arn of running) {
        const input = z.looseObject({ promotion: z.string().optional() });
        const given = input.parse(JSON.parse((await cloud.executions.describe(arn)).input));
        if (given.promotion === promotion) known = { arn, events: [] };
      }
    }
    if (known === undefined) return undefined;
    known.events = await cloud.executions.history(known.arn, known.events);
    return lookIn(known.events);
  };
}

/** States of the canary's machine that say its whole document at their end. */
const SAYING = new Set([
  'Open canary',
  'Judge shadow',
  'Choose salt',
  'Start canary',
  'Measure canary',
  'Judge canary',
]);

function lookIn(events: readonly HistoryEvent[]): LastLook {
  const last = events.findLast(({ stateExitedEventDetails: exited }) => SAYING.has(exited?.name ?? ''));
  const { data } = Document.safeParse(JSON.parse(last?.stateExitedEventDetails?.output ?? '{}'));
  const judged = events.findLast(({ stateExitedEventDetails: exited }) => exited?.name === 'Judge canary');
  return {
    objectiveMs: data?.opened?.objectiveMs,
    minutes: data?.measured?.minutes,
    found: data?.look?.found,
    at: judged?.timestamp?.toISOString(),
  };
}
