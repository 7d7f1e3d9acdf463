import { describe, expect, it } from 'vitest';
import { closedUntil, countedAnswers, minuteOf } from '#domain/prediction/request-log.ts';
import { answeredEvents, loggedRequest } from './_logged.ts';

/** A request of the log by its name, its begin and what its events got. */
const logged = (request: string, startedAt: string, events: Readonly<Record<string, number>>) =>
  loggedRequest({ request, startedAt, events: answeredEvents(events) });

describe('the request log', () => {
  it('closes each minute two minutes after its end', () => {
    expect(minuteOf('2026-11-30T04:12:59.999Z')).toBe('2026-11-30T0412Z');
    expect(closedUntil(new Date('2026-11-30T04:15:00.000Z')).toISOString()).toBe('2026-11-30T04:13:00.000Z');
    expect(closedUntil(new Date('2026-11-30T04:14:59.999Z')).toISOString()).toBe('2026-11-30T04:12:00.000Z');
  });

  it('counts an event once, by its first answer, in whatever order the lines came', () => {
    const first = logged('call 2', '2026-03-02T08:00:00.000Z', { a: 0.1, b: 0.2 });
    const again = logged('call 1', '2026-03-02T08:00:05.000Z', { b: 0.9, c: 0.3 });
    for (const requests of [
      [first, again],
      [again, first, first],
    ])
      expect(
        countedAnswers(requests).map(({ request, event }) => [request.request, event.id, event.probability]),
      ).toEqual([
        ['call 2', 'a', 0.1],
        ['call 2', 'b', 0.2],
        ['call 1', 'c', 0.3],
      ]);
  });
});
