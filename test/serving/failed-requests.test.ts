// A request for predictions that nobody answered leaves a line.
import { beforeEach, describe, expect, it } from 'vitest';
import { FailedRequest } from '#domain/prediction/request-log.ts';
import { divided, type Divided } from './_arms.ts';
import { inputs, serving } from './_endpoint.ts';

let here: Divided;
beforeEach(async () => {
  here = await divided();
});
const broken = () => Promise.reject(new Error('a node of the graph'));

describe('a request that nobody answered', () => {
  it('is logged of the arm that it was assigned to, by its first event', async () => {
    here.during.predict = broken;
    for (const arm of ['champion', 'candidate', 'control'] as const) {
      expect((await here.infer(inputs([{ id: here.idFor(arm) }, { id: 'e2' }]))).status).toBe(500);
      expect(FailedRequest.parse(here.log.failed.at(-1))).toEqual({
        formatVersion: 1,
        request: 'call 1',
        model: 'toy',
        arm,
        pointerSeq: 2,
        event: here.idFor(arm),
        rule: 'answer-computed',
        startedAt: new Date(here.clock.at).toISOString(),
      });
      expect(here.measured()).toMatchObject([{ arm }, { Requests: 1, Errors: 1 }]);
    }
    expect(here.log.entries).toEqual([]);
  });

  it('is logged without a plan too', async () => {
    const undivided = await serving();
    undivided.during.predict = broken;
    expect((await undivided.infer()).status).toBe(500);
    expect(undivided.log.failed).toMatchObject([{ arm: 'champion', event: 'e1', pointerSeq: 1 }]);
  });

  it('is logged where its answer could not be', async () => {
    here.log.write = () => Promise.reject(new Error('no room'));
    expect((await here.ask('candidate')).status).toBe(503);
    expect(here.log.failed).toMatchObject([{ arm: 'candidate', rule: 'answer-logged' }]);
  });

  it('is answered alike where that cannot be logged, which is counted', async () => {
    here.during.predict = broken;
    const logged = await here.ask('champion');
    here.log.writeFailed = () => Promise.reject(new Error('no room'));
    const { status, body } = await here.ask('champion');
    expect([status, body]).toEqual([logged.status, logged.body]);
    expect(here.metrics.emitted).toContainEqual([{ environment: 'prod', model: 'toy' }, { UnloggedFailures: 1 }]);
  });

  it('is not logged where it is golden, where its events could not be read, and where it is wrong', async () => {
    expect((await here.infer([], { parameters: { golden: true } })).status).toBeGreaterThanOrEqual(400);
    expect((await here.infer(inputs([{ id: null }]))).status).toBe(422);
    expect((await here.infer(inputs([{}, {}]))).status).toBe(422);
    here.clock.at += 60_000;
    here.during.read = () => Promise.reject(new Error('unreachable'));
    expect((await here.infer()).status).toBe(503);
    expect(here.log.failed).toEqual([]);
  });
});
