import { beforeEach, expect, it } from 'vitest';
import type { Digest } from '#domain/canonical/digest.ts';
import type { AnsweredDay } from '#domain/prediction/answers.ts';
import { readRuns } from '#read-model/runs.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { MODEL } from './_environments.ts';
import { begin, letIn, prod, review, serve } from './_probation.ts';
import { day } from './_watched.ts';

beforeEach(begin);

/** Answers of a release of which many have a label, and lose so much where the batch loses 0.2. */
function answeredDays(release: Digest, loss: number): AnsweredDay[] {
  const [paired, different] = [10_000, 5];
  const pairedLoss = { answers: loss, batch: 0.2 };
  return [
    { day: day(3), arm: 'champion', release, answers: paired, labelled: paired, loss, paired, pairedLoss, different },
  ];
}

it('waits with what would be confirmed while answers on request lose more than what was published', async () => {
  const release = await letIn(0.003);
  await serve(release, day(0), day(6));
  const slow = fortnight(0.003);
  const answers = answeredDays(release, 0.3);
  const { path } = await review(day(7), { slow, answers });
  expect(path.at(-1)).toBe('Watched');
  const run = (await readRuns(prod.ledger, MODEL)).find(({ asOf }) => asOf === day(7));
  expect(run).toMatchObject({
    status: 'wait',
    answers: { days: answers, reason: '' },
    review: {
      reason: expect.stringMatching(
        /^answers on request lose 50.0+ % more than published predictions of the same 10000 events/,
      ),
      change: expect.stringContaining('gatehouse endpoint replay'),
    },
  });
  // Nor is it confirmed where nobody knows how they are.
  expect((await review(day(8), { slow, unanswered: 'the state Measure answers failed' })).path.at(-1)).toBe('Watched');
  // They are as good again.
  const better = { slow, answers: answeredDays(release, 0.2) };
  expect((await review(day(9), better)).path.at(-1)).toBe('Confirmed');
});
