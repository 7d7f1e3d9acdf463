import { ENDPOINT_METRICS } from '#domain/alarm/alarm.ts';
import { isDependencyFault, isOfDependency } from '#domain/alarm/attribution.ts';
import type { FailedRequest } from '#domain/prediction/request-log.ts';
import type { ArmFailure } from './arm-calls.ts';
import type { Serving } from './champion.ts';
import type { EndpointResponse } from './protocol.ts';

/** What is known of a request when it is answered. */
export interface Seen {
  /** The host's name of the call. */
  readonly id: string;
  readonly startedAt: Date;
  /** Whether it asks for predictions: golden requests do not. */
  isPrediction: boolean;
  /** The arm that it was assigned to. */
  arm: FailedRequest['arm'];
  /** Why that arm did not answer it, where the champion did. */
  armFailure: ArmFailure | undefined;
  /** The id of its first event, and the pointer that was in force; undefined where its events could not be read. */
  first: { readonly event: string; readonly pointerSeq: number } | undefined;
  /** Milliseconds above which its answer is slow; undefined where it had to wait for a load, which any release takes. */
  slowAboveMs: number | undefined;
  /** When its predictions were there; latency is counted until then, as the request log does. */
  endedAt: Date | undefined;
}

/** What is known of a request when it arrives. */
export function arrived(id: string, startedAt: Date): Seen {
  return {
    id,
    startedAt,
    isPrediction: false,
    arm: 'champion',
    armFailure: undefined,
    first: undefined,
    slowAboveMs: undefined,
    endedAt: undefined,
  };
}

/**
 * Says what came of a request, for the alarms, of the arm that it was assigned to: what an arm fails is nothing that the champion is rolled
 * back for. AWS counts every answer above 499 of the API, whatever was asked for: of each that something beside the release is the reason of,
 * this says so.
 */
export function measure(
  { metrics, environment, model, clock }: Pick<Serving, 'metrics' | 'environment' | 'model' | 'clock'>,
  seen: Seen,
  { status, rule, fault }: EndpointResponse,
): void {
  const isFailed = status >= 500;
  const isOther = isFailed && ((rule !== undefined && isOfDependency(rule)) || isDependencyFault(fault));
  const unavailable = { [ENDPOINT_METRICS.dependencyUnavailable]: Number(isOther) };
  const { arm, armFailure, slowAboveMs } = seen;
  const dimensions = { environment, model, arm };
  if (!seen.isPrediction) {
    if (isOther) metrics.emit(dimensions, unavailable);
    return;
  }
  const ended = seen.endedAt ?? clock.now();
  const milliseconds = Math.max(0, ended.getTime() - seen.startedAt.getTime());
  const isSlow = armFailure?.kind === 'late' || (slowAboveMs !== undefined && milliseconds > slowAboveMs);
  metrics.emit(dimensions, {
    [ENDPOINT_METRICS.requests]: 1,
    [ENDPOINT_METRICS.errors]: Number((isFailed && !isOther) || armFailure?.kind === 'failed'),
    ...unavailable,
    ...(status === 200
      ? {
          [ENDPOINT_METRICS.latency]: milliseconds,
          ...(slowAboveMs === undefined ? {} : { [ENDPOINT_METRICS.slow]: Number(isSlow) }),
        }
      : {}),
  });
}

/** Logs a request for predictions that nobody answered; that it cannot be logged changes nothing of what is answered, and is counted. */
export async function logFailure(
  { log, metrics, environment, model }: Pick<Serving, 'log' | 'metrics' | 'environment' | 'model'>,
  { id, startedAt, isPrediction, arm, first }: Seen,
  { status, rule = 'answer-computed' }: EndpointResponse,
): Promise<void> {
  if (!isPrediction || status < 500 || first === undefined) return;
  const about = { formatVersion: 1, request: id, model, arm, rule, startedAt: startedAt.toISOString() } as const;
  try {
    await log.writeFailed({ ...about, ...first });
  } catch {
    metrics.emit({ environment, model }, { UnloggedFailures: 1 });
  }
}
