import { describe, expect, it } from 'vitest';
import { execute } from '#local/statemachines/interpreter.ts';
import { failing } from '../_scripted.ts';
import { CANARY, REFUSED, WELL } from '../_scripts.ts';
import { run } from './_run.ts';

const SHADOW = ['Open canary', 'Canary opened?', 'Replay shadow', 'Judge shadow', 'Shadow passed?', 'Choose salt'];
const WAITING = ['Start canary', 'Canary started?', 'Wait for requests', 'Plan aggregates', 'Aggregates planned?'];
const LOOK = ['Measure canary', 'Judge canary', 'Canary judged?'];
const PASSED = ['Canary was passed', 'Stop canary', 'Watched'];

describe('canary', () => {
  it('looks as often as it has to, and gives the traffic back before it passes', async () => {
    const { path, status, document } = await run('canary');
    expect(path).toEqual([...SHADOW, ...WAITING, ...LOOK, ...WAITING, ...LOOK, ...PASSED]);
    expect({ status, document }).toMatchObject({ status: 'SUCCEEDED', document: { outcome: { status: 'passed' } } });
  });

  it('counts from the moment and the pointer by which the traffic was divided', async () => {
    const { calls } = await run('canary');
    const { startedAt: from, pointerSeq: sincePointerSeq } = CANARY['Start canary'];
    expect(calls.find(({ state }) => state === 'Measure canary')?.payload).toMatchObject({
      input: { model: 'm', from, sincePointerSeq, objectiveMs: 200 },
    });
  });

  it('builds the aggregates that the candidate needs meanwhile', async () => {
    const planned = { status: 'planned', list: 'sha256:l', replaces: null, dailyBatches: [] } as const;
    const { path } = await run('canary', { 'Plan aggregates': planned });
    expect(path).toContain('Publish aggregates');
    expect(path.at(-1)).toBe('Watched');
  });

  it('begins unshadowed where the policy has no shadow', async () => {
    const { path } = await run('canary', { 'Open canary': { ...CANARY['Open canary'], status: 'unshadowed' } });
    expect(path.slice(0, 4)).toEqual(['Open canary', 'Canary opened?', 'Choose salt', 'Start canary']);
  });

  it.each([
    ['there is nothing to watch', { 'Open canary': { status: 'none' } }, ['Open canary', 'Canary opened?']],
    [
      'no canary applies',
      { 'Open canary': { status: 'not-applicable', reason: 'a reason' } },
      ['Open canary', 'Canary opened?', 'Skip canary', 'Skipped?'],
    ],
    [
      'the shadow alone was asked for',
      { 'Judge shadow': { status: 'finished', found: 'no errors' } },
      SHADOW.slice(0, 5),
    ],
  ] as const)('divides no traffic where %s', async (_, answers, before) => {
    const { path } = await run('canary', answers);
    expect(path).toEqual([...before, ...PASSED]);
  });

  it.each([
    ['Open canary', ['Open canary', 'Canary opened?', 'Canary was not opened']],
    ['Judge shadow', [...SHADOW.slice(0, 5), 'Shadow was not passed']],
    ['Start canary', [...SHADOW, 'Start canary', 'Canary started?', 'Canary was not started']],
    ['Judge canary', [...SHADOW, ...WAITING, ...LOOK, 'Canary was not passed']],
  ] as const)('stops, and hands the refusal on, where "%s" refuses', async (state, before) => {
    const { path, status, document, calls } = await run('canary', { [state]: REFUSED });
    expect(path).toEqual([...before, 'Stop canary', 'Watched']);
    expect(status).toBe('SUCCEEDED');
    expect(document).toMatchObject({ outcome: REFUSED });
    expect(calls.at(-1)?.payload).toMatchObject({ input: { outcome: { refusal: REFUSED.refusal } } });
  });

  it.each(['Open canary', 'Replay shadow', 'Start canary', 'Measure canary', 'Judge canary'])(
    'leaves the traffic to the reconciler after a fault of "%s"',
    async (state) => {
      const { input, script } = WELL.canary;
      const { path, status } = await execute('canary', input, failing(state, script));
      expect(path.slice(-2)).toEqual(['Record failure', 'Failed']);
      expect(status).toBe('FAILED');
    },
  );
});
