import { expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { newestRequests } from '#domain/prediction/newest-requests.ts';
import { answeredEvents, loggedRequest } from './_logged.ts';

const at = (minute: number): string => `2026-03-02T08:${String(minute).padStart(2, '0')}:00.000Z`;
const asked = {
  release: digestOf('release'),
  from: new Date('2026-03-02T08:00:00.000Z'),
  until: new Date('2026-03-02T09:00:00.000Z'),
  most: 3,
};
const request = (minute: number) =>
  loggedRequest({ request: `call ${minute}`, startedAt: at(minute), events: answeredEvents({ [minute]: 0.5 }) });
/** A part of the log with some requests, of which each text has ten characters. */
const part = (...minutes: readonly number[]) => ({
  requests: minutes.map(request),
  raw: new Map([...minutes.map(String), '[]'].map((id) => [digestOf(id), id.padEnd(10)] as const)),
});
const minutesOf = ({ requests }: ReturnType<ReturnType<typeof newestRequests>['found']>) =>
  requests.map(({ request }) => request);

it('takes the newest of each part, in order of time, each once, until there are as many as asked for', () => {
  const newest = newestRequests(asked);
  newest.add(part(30, 40));
  expect(newest.isFull()).toBe(false);
  newest.add(part(10, 30, 20));
  expect(newest.isFull()).toBe(true);
  newest.add(part(5));
  expect(minutesOf(newest.found())).toEqual(['call 20', 'call 30', 'call 40']);
});

it('holds no more raw events than a limit, and shared ones once', () => {
  // The context, and an event each.
  const newest = newestRequests(asked, 30);
  newest.add(part(10, 20, 30));
  expect(minutesOf(newest.found())).toEqual(['call 20', 'call 30']);
  expect(newest.isFull()).toBe(true);
});
