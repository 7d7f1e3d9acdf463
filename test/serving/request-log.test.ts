import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { digestOfRows } from '#domain/data/event-json.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import { inputs, serving, TODAY, YESTERDAY } from './_endpoint.ts';

describe('the request log', () => {
  it('has an entry of each answered request before it is answered, with all that computes it again', async () => {
    const here = await serving();
    const context = [{ id: 'c1', at: `${TODAY}T08:00:00Z` }];
    const { entry, json } = await here.infer(inputs([{}, { id: 'e2', seat: null }], context));
    expect(entry?.request).toEqual({
      formatVersion: 1,
      request: 'call 1',
      model: 'toy',
      version: '0.1.1',
      release: here.first,
      arm: 'champion',
      armFailure: null,
      epoch: 1,
      pointerSeq: 1,
      aggregates: here.list,
      aggregatesUntil: YESTERDAY,
      context: digestOfRows(entry?.raw?.context ?? []),
      day: TODAY,
      startedAt: new Date(here.clock.at).toISOString(),
      milliseconds: 0,
      events: [
        { id: 'e1', digest: digestOfRows(entry?.raw?.events[0] ?? {}), probability: 0.1 },
        { id: 'e2', digest: digestOfRows(entry?.raw?.events[1] ?? {}), probability: 0.1 },
      ],
    });
    expect(json.parameters).toMatchObject({ epoch: 1, context_digest: entry?.request.context });
    expect(entry?.request.context).not.toBe(digestOf('[]'));
  });

  it('has no entry of a request that was refused, and none of a golden one', async () => {
    const here = await serving();
    expect((await here.infer(inputs([{ id: null }]))).status).toBe(422);
    await here.infer([], { parameters: { golden: true } });
    expect(here.log.entries).toEqual([]);
  });

  it('says when a request came and how long its answer took, also of one that waited for a load', async () => {
    const here = await serving();
    const at = here.clock.at;
    here.during.load = async () => {
      here.clock.at += 700;
    };
    const { entry } = await here.infer();
    expect(entry?.request).toMatchObject({ startedAt: new Date(at).toISOString(), milliseconds: 700 });
  });

  it('is ready before a release counts as loaded: without it nothing is answered', async () => {
    const here = await serving();
    const open = here.log.open.bind(here.log);
    here.log.open = () => Promise.reject(new Error('no data key'));
    const refused = await here.infer();
    expect(refused.status).toBe(503);
    expect(refused.json.error).toMatch(/^champion-loads: .*no data key/);
    here.log.open = open;
    here.clock.at += 5_001;
    expect((await here.infer()).status).toBe(200);
  });

  it('gives no answer that it could not write', async () => {
    const here = await serving();
    await here.infer();
    here.log.write = () => Promise.reject(new Error('no room'));
    const { status, json } = await here.infer();
    expect(status).toBe(503);
    const rule: RuleId = 'answer-logged';
    expect(json.error).toContain(`${rule}: no room`);
    expect(json.outputs).toBeUndefined();
  });
});
