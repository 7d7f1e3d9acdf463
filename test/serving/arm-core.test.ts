// The function of an arm: what it loads, and what it refuses.
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import { armCall, divided, type Divided, HOUR } from './_arms.ts';
import { inputs } from './_endpoint.ts';

let here: Divided;
beforeEach(async () => {
  here = await divided();
});
const call = async (arm: 'candidate' | 'control', change: object = {}) => {
  const { seq } = await here.pointer();
  return here.cores[arm].answer(armCall(seq, here.clock.at, change));
};

describe('the function of an arm', () => {
  it('loads what the pointer names for its arm, and nothing else', async () => {
    const { answer } = await call('candidate');
    expect(answer).toMatchObject({
      kind: 'answered',
      release: here.candidate,
      made: { day: '2026-03-02', aggregates: here.list, events: [{ id: 'e1', probability: 0.2 }] },
      raw: { events: [{ id: 'e1', who: 'ann' }], context: [] },
    });
    expect(here.models.opened).toEqual(['release 200']);
    expect((await call('control')).answer).toMatchObject({
      release: here.first,
      made: { events: [{ probability: 0.1 }] },
    });
    expect(here.models.opened).toEqual(['release 200', 'release 100']);
    // It neither logs nor measures: the endpoint does.
    expect([here.log.entries, here.log.opened, here.metrics.emitted]).toEqual([[], 0, []]);
  });

  it.each<readonly [what: string, change: () => Promise<void>, later: number]>([
    ['no plan', () => here.divide(undefined), 0],
    ['a plan whose time has passed', async () => undefined, HOUR],
    ['a plan that divides nothing', () => here.divide({ ...here.plan, kind: 'blue-green' }), 0],
  ])('refuses where there is %s, and lets go of what it has loaded', async (_, change, later) => {
    await call('candidate');
    expect(here.models.open).toBe(1);
    await change();
    here.clock.at += later;
    const rule: RuleId = 'arm-planned';
    const { answer } = await call('candidate');
    const found = expect.stringMatching(/^pointer \d of toy names no candidate$/);
    expect(answer).toEqual({
      kind: 'refused',
      status: 503,
      refusal: { rule, found, remedy: 'read the pointer again' },
    });
    expect(here.models.open).toBe(0);
    expect((await call('control')).answer).toMatchObject({ refusal: { rule: 'arm-planned' } });
  });

  it('refuses a release whose bytes are others, and answers when they are right again', async () => {
    const onnx = digestOf('MODEL release 200');
    const bytes = here.prod.releases.objects.get(onnx) ?? new Uint8Array();
    here.prod.releases.objects.set(onnx, new Uint8Array([1]));
    const { answer, fault } = await call('candidate');
    expect(answer).toMatchObject({ kind: 'refused', status: 503, refusal: { rule: 'champion-loads' } });
    expect(fault).toMatchObject({ code: 'ARTIFACT_TAMPERED' });
    here.prod.releases.objects.set(onnx, bytes);
    here.clock.at += 6_000;
    expect((await call('candidate')).answer.kind).toBe('answered');
  });

  it('says what is wrong in a request as the champion does', async () => {
    const body = (event: object) => ({ body: JSON.stringify({ inputs: inputs([event as never]) }) });
    expect((await call('candidate', body({ price: 'dear' }))).answer).toMatchObject({
      status: 422,
      refusal: { rule: 'input-values' },
    });
    expect((await call('candidate', { body: '{' })).answer).toMatchObject({
      status: 400,
      refusal: { rule: 'body-json' },
    });
  });

  it('says that it failed where the model does', async () => {
    here.during.predict = () => Promise.reject(new Error('a node of the graph'));
    const { answer, fault } = await call('candidate');
    expect(answer).toMatchObject({ status: 500, refusal: { rule: 'answer-computed', found: 'a node of the graph' } });
    expect(fault).toBeInstanceOf(Error);
  });

  it('takes calls of endpoints only', async () => {
    const strange = here.cores.candidate.answer({ ...armCall(1, here.clock.at), release: here.first });
    await expect(strange).rejects.toMatchObject({ code: 'BAD_DOCUMENT' });
  });
});
