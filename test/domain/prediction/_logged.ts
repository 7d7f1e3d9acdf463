import { digestOf } from '#domain/canonical/digest.ts';
import { FailedRequest, LoggedRequest } from '#domain/prediction/request-log.ts';

/** A request of the log as most are, but for what is said of it. */
export function loggedRequest(overrides: Partial<LoggedRequest> = {}): LoggedRequest {
  return LoggedRequest.parse({
    formatVersion: 1,
    request: 'call 1',
    model: 'toy',
    version: '0.1.0',
    release: digestOf('release'),
    arm: 'champion',
    epoch: 1,
    pointerSeq: 1,
    aggregates: null,
    aggregatesUntil: null,
    context: digestOf('[]'),
    day: '2026-03-02',
    startedAt: '2026-03-02T08:00:00.000Z',
    milliseconds: 12,
    events: [{ id: 'e1', digest: digestOf('e1'), probability: 0.5 }],
    ...overrides,
  });
}

/** Answered events by their ids, with what each got. */
export function answeredEvents(events: Readonly<Record<string, number>>): LoggedRequest['events'] {
  return Object.entries(events).map(([id, probability]) => ({ id, digest: digestOf(id), probability }));
}

/** A request that nobody answered, as most are, but for what is said of it. */
export function failedRequest(overrides: Partial<FailedRequest> = {}): FailedRequest {
  return FailedRequest.parse({
    formatVersion: 1,
    request: 'call 1',
    model: 'toy',
    arm: 'champion',
    pointerSeq: 1,
    event: 'e1',
    rule: 'answer-computed',
    startedAt: '2026-03-02T08:00:00.000Z',
    ...overrides,
  });
}
