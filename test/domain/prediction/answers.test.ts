import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { type AnsweredDay, whyAnswersWorse } from '#domain/prediction/answers.ts';

const RELEASE = digestOf('release');
const rule = { fast: { minimumLabels: 100, hours: 48, loss: 0.03, provenLoss: 0.01 } };

/** A day of answers that lose so much where the batch loses 0.2. */
function answered(paired: number, loss: number, release = RELEASE): AnsweredDay {
  const pairedLoss = paired === 0 ? null : { answers: loss, batch: 0.2 };
  return {
    day: '2026-03-02',
    arm: 'champion',
    release,
    answers: 200,
    labelled: paired,
    loss,
    paired,
    pairedLoss,
    different: 0,
  };
}

describe('answers on request', () => {
  it('are worse where they lose more than the published predictions of the same events, by more than is tolerated', () => {
    expect(whyAnswersWorse([answered(60, 0.21), answered(40, 0.21)], RELEASE, rule)).toBe(
      'answers on request lose 5.00 % more than published predictions of the same 100 events; allowed: 3.00 %',
    );
  });

  it.each([
    ['they lose as much', [answered(100, 0.2)]],
    ['the loss is tolerated', [answered(100, 0.206)]],
    ['there are too few labels', [answered(99, 0.9)]],
    ['they are of another release', [answered(100, 0.9, digestOf('other'))]],
    ['none has a label', [answered(0, 0.9)]],
    ['there are none', []],
  ])('are not where %s', (_, days) => {
    expect(whyAnswersWorse(days, RELEASE, rule)).toBeUndefined();
  });
});
