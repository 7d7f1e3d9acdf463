import { expect, it } from 'vitest';
import { type Compared, replayReport } from '#cli/commands/endpoint/replay/view.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import { render } from '#cli/report.ts';

const SAME: Compared = {
  event: 'e1',
  request: 'call 1',
  release: `sha256:${'a'.repeat(64)}`,
  answered: 0.25,
  recomputed: 0.25,
  isKept: true,
  difference: null,
  batch: 0.25,
  cause: null,
};

function report(...compared: readonly Partial<Compared>[]) {
  const found = replayReport({
    environment: 'prod',
    model: 'toy',
    day: '2026-03-02',
    compared: compared.map((each, index) => ({ ...SAME, event: `e${index + 1}`, ...each })),
    batch: SAME.release,
    requests: 4,
    closedUntil: '2026-03-02T08:00:00.000Z',
  });
  return { ...found, text: render(found.report, 'table') };
}

it('counts what is the same and what is not, and why', () => {
  const {
    refusal,
    text,
    report: made,
  } = report(
    {},
    { batch: null, cause: 'not-in-batch' },
    { isKept: false, recomputed: null },
    { batch: 0.5, cause: 'context' },
    { batch: 0.5, cause: 'context' },
    { batch: 0.75, cause: 'other-release' },
  );
  expect(refusal).toBeUndefined();
  expect(made.data).toMatchObject({
    answers: 6,
    computedAgain: 5,
    different: 0,
    batch: { compared: 5, same: 2 },
    causes: { context: 2, 'other-release': 1, 'not-in-batch': 1 },
  });
  expect(text).toMatch(/not as the batch: the request had another context than the day has +│? *2/);
  expect(text).toContain('the log is whole until 2026-03-02T08:00:00.000Z');
});

it.each<[RuleId, RegExp, readonly Partial<Compared>[]]>([
  [
    'answers-reproducible',
    /^event e2 was answered 0.25, again 0.5: another probability; 1 of 2 differ$/,
    [
      { batch: 0.5, cause: 'unexplained' },
      { recomputed: 0.5, difference: 'another probability' },
    ],
  ],
  [
    'answers-as-batch',
    /^event e2 was answered 0.25, the batch has 0.5; 1 of 2 differ without a cause$/,
    [{}, { batch: 0.5, cause: 'unexplained' }],
  ],
  ['answers-as-batch', /^of 1 answers the batch of the day has no event$/, [{ batch: null, cause: 'not-in-batch' }]],
  ['requests-kept', /^of 1 answers no raw event is kept$/, [{ isKept: false, recomputed: null }]],
])('refuses by %s', (rule, found, compared) => {
  expect(report(...compared).refusal).toMatchObject({ rule, found: expect.stringMatching(found) });
});
