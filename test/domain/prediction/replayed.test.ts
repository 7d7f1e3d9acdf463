import { expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { type Cause, causeOf, type MadeFrom } from '#domain/prediction/replayed.ts';

const RELEASE = digestOf('release');
const answer: MadeFrom = {
  release: RELEASE,
  event: 'event',
  context: ['one', 'two'],
  aggregates: [{ day: '2026-03-01', digest: digestOf('daily') }],
};

it.each<[Cause, MadeFrom['release'], MadeFrom | undefined]>([
  ['other-release', digestOf('other'), answer],
  ['data-replaced', RELEASE, undefined],
  ['correction', RELEASE, { ...answer, event: 'corrected', context: [] }],
  ['context', RELEASE, { ...answer, context: ['one', 'two', 'late'], aggregates: [] }],
  ['aggregates', RELEASE, { ...answer, aggregates: [...answer.aggregates, ...answer.aggregates] }],
  ['unexplained', RELEASE, { ...answer, context: ['two', 'one'] }],
])('says %s of an answer that the batch has otherwise', (cause, release, batch) => {
  expect(causeOf(answer, release, batch)).toBe(cause);
});
