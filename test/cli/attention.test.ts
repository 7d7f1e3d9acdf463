import { describe, expect, it } from 'vitest';
import { run } from '#cli/commands/status/status.ts';
import type { Environment } from '#domain/environment/environment.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { supervised, testContext } from './_context.ts';

const MODEL = 'flight-delay';
const SINCE = '2026-03-01T06:00:00.000Z';

/** A context in which `put` writes items that nobody decides. */
function begin() {
  const given = testContext({ model: MODEL });
  const put = async (environment: Environment, item: Item) =>
    given
      .ledgerOf(environment)
      .transact([{ kind: 'put', item: { ...item } }], digestOf(JSON.stringify(item)).slice(7, 40));
  return { ...given, put };
}

const expected = (missed: number) => ({
  expression: 'rate(1 day)',
  timezone: 'UTC',
  heartbeat: null,
  countedFrom: SINCE,
  expectedAt: SINCE,
  missedSince: missed === 0 ? null : SINCE,
  missed,
  alertedAt: null,
});
const fault = (code: string | null) => ({ model: MODEL, code, since: SINCE, isTold: true });
const finding = (object: string, kind: string | null) => ({
  model: MODEL,
  unit: 'release r',
  object,
  kind,
  found: 'there is no such object',
  affects: ['the served release 1.0.0'],
  release: null,
  since: SINCE,
});

describe('status: what needs attention', () => {
  it('lists what lasts: of the model and of the environments, from all of them', async () => {
    const given = begin();
    const { put, context, text } = given;
    await supervised(given, ['staging', 'prod', 'control']);
    await put('prod', { ...keys.expectedRun(MODEL, `drift-${MODEL}`), ...expected(2) });
    await put('prod', { ...keys.expectedRun(MODEL, `review-${MODEL}`), ...expected(0) });
    await put('control', { ...keys.expectedRun('control', 'reconcile'), ...expected(1) });
    await put('staging', { ...keys.fault('supervisor', 'queues: q'), ...fault('DEAD_LETTERS') });
    await put('staging', { ...keys.fault('supervisor', 'key k'), ...fault(null) });
    await put('prod', { ...keys.cursor(`integrity-${MODEL}`, 'model.onnx'), ...finding('model.onnx', 'missing') });
    await put('prod', { ...keys.cursor(`integrity-${MODEL}`, 'golden.json'), ...finding('golden.json', null) });
    await put('dev', { ...keys.supervision('dev'), at: SINCE, since: SINCE, schedules: [] });
    await run(context);
    expect(JSON.parse(text('json'))).toMatchObject({
      attention: [
        { environment: 'dev', kind: 'supervisor', since: SINCE },
        { environment: 'staging', kind: 'fault', what: 'queues: q', found: 'DEAD_LETTERS', since: SINCE },
        { environment: 'prod', kind: 'schedule', what: `drift-${MODEL}`, found: '2 runs missed', since: SINCE },
        {
          environment: 'prod',
          kind: 'integrity',
          what: 'model.onnx',
          found: 'missing; affects the served release 1.0.0',
          since: SINCE,
        },
        { environment: 'control', kind: 'schedule', what: 'reconcile', found: '1 runs missed', since: SINCE },
      ],
    });
    expect(text().split('\n')[0]).toBe('needs attention');
  });

  it('has no such section where nothing does', async () => {
    const given = begin();
    const { context, text } = given;
    await supervised(given);
    await run(context);
    expect(JSON.parse(text('json'))).toMatchObject({ attention: [] });
    expect(text()).not.toContain('needs attention');
  });

  it('names an environment whose supervisor never ran: there nobody looks', async () => {
    const given = begin();
    await supervised(given, ['dev', 'staging', 'control']);
    await run(given.context);
    expect(JSON.parse(given.text('json'))).toMatchObject({
      attention: [{ environment: 'prod', kind: 'supervisor', found: 'never ran: nobody looks', since: null }],
    });
  });
});
