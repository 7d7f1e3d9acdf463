import { type Cause, CAUSES } from '#domain/prediction/replayed.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { type Report, shortDigest } from '../../../report.ts';

/** Answers that are listed; the data have all of them. */
const MOST_LISTED = 20;

/** An answer of the log beside the same answer of today, and that of the batch. */
export interface Compared {
  readonly event: string;
  readonly request: string;
  readonly release: string;
  readonly answered: number;
  readonly recomputed: number | null;
  /** Whether its raw events are kept, from which it can be computed again. */
  readonly isKept: boolean;
  /** Why it is not what its receipt gives; null where it is. */
  readonly difference: string | null;
  readonly batch: number | null;
  /** Why it is not what the batch has; null where it is, or where there is no batch of it. */
  readonly cause: Cause | null;
}

/** What a replay of a day found. */
export interface Found {
  readonly environment: string;
  readonly model: string;
  readonly day: string;
  readonly compared: readonly Compared[];
  /** The release of the day's published predictions; undefined where there are none. */
  readonly batch: string | undefined;
  readonly requests: number;
  /** When the log is whole until. */
  readonly closedUntil: string;
}

/** What a replay found, for people and programs, and the rule that it breaks. */
export function replayReport({ environment, model, day, compared, batch, requests, closedUntil }: Found): {
  readonly report: Report;
  readonly refusal: Refusal | undefined;
} {
  const kept = compared.filter(({ isKept }) => isKept);
  const different = kept.filter(({ difference }) => difference !== null);
  const inBatch = compared.filter((each) => each.batch !== null);
  const causes = Map.groupBy(
    compared.filter(({ cause }) => cause !== null),
    ({ cause }) => cause as Cause,
  );
  const unexplained = causes.get('unexplained') ?? [];
  const explained = [...causes].map(([cause, all]) => [`not as the batch: ${CAUSES[cause]}`, String(all.length)]);
  const asBatch = inBatch.filter(({ cause }) => cause === null).length;
  const listed = compared.filter(({ difference, cause }) => difference !== null || cause !== null);
  const report: Report = {
    data: {
      environment,
      model,
      day,
      requests,
      closedUntil,
      answers: compared.length,
      computedAgain: kept.length,
      different: different.length,
      batch: batch === undefined ? null : { release: batch, compared: inBatch.length, same: asBatch },
      causes: Object.fromEntries([...causes].map(([cause, all]) => [cause, all.length])),
      compared,
    },
    sections: [
      {
        title: `${model} in ${environment}, events of ${day}: ${compared.length} answers of ${requests} requests`,
        columns: ['', 'answers'],
        rows: [
          ['computed again from their receipts, the same bits', String(kept.length - different.length)],
          ['computed again from their receipts, other bits', String(different.length)],
          ['raw events not kept (any more)', String(compared.length - kept.length)],
          ['as the batch, the same bits', String(asBatch)],
          ...explained,
          ...(batch === undefined ? [['no batch of the day yet', String(compared.length)]] : []),
        ],
      },
      ...(listed.length === 0
        ? []
        : [
            {
              columns: ['event', 'release', 'answered', 'again', 'batch', 'why'],
              rows: listed
                .slice(0, MOST_LISTED)
                .map((each) => [
                  each.event,
                  shortDigest(each.release),
                  String(each.answered),
                  String(each.recomputed ?? '-'),
                  String(each.batch ?? '-'),
                  each.difference ?? (each.cause === null ? '' : CAUSES[each.cause]),
                ]),
            },
          ]),
      { lines: [`the log is whole until ${closedUntil}; what was answered since may still be on its way`] },
    ],
  };
  return {
    report,
    refusal: brokenRule(kept, different, unexplained, {
      compared: compared.length,
      inBatch: inBatch.length,
      isBatchThere: batch !== undefined,
    }),
  };
}

function brokenRule(
  kept: readonly Compared[],
  [wrong, ...others]: readonly Compared[],
  [strange, ...more]: readonly Compared[],
  counts: { readonly compared: number; readonly inBatch: number; readonly isBatchThere: boolean },
): Refusal | undefined {
  if (wrong !== undefined)
    return refusal(
      'answers-reproducible',
      `event ${wrong.event} was answered ${wrong.answered}, again ${wrong.recomputed ?? 'none'}: ${wrong.difference}; ${others.length + 1} of ${kept.length} differ`,
      'look who wrote to the log, and which engines ran',
    );
  if (strange !== undefined)
    return refusal(
      'answers-as-batch',
      `event ${strange.event} was answered ${strange.answered}, the batch has ${strange.batch}; ${more.length + 1} of ${counts.inBatch} differ without a cause`,
      'check the declared context: gatehouse model check --events ... --labels ...',
    );
  if (counts.isBatchThere && counts.inBatch === 0)
    return refusal(
      'answers-as-batch',
      `of ${counts.compared} answers the batch of the day has no event`,
      'ask about events that producers land: see their ids',
    );
  if (kept.length > 0) return undefined;
  return refusal(
    'requests-kept',
    `of ${counts.compared} answers no raw event is kept`,
    'see online.retentionDays in model.ts; 0 keeps none',
  );
}
