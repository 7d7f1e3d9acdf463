import { describe, expect, it } from 'vitest';
import { isDependencyFault } from '#domain/alarm/attribution.ts';
import { readReply, whyNotPromised } from '#domain/alarm/probe.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { refusalText } from '#domain/refusal/refusal.ts';

const parameters = { digest: digestOf('release'), epoch: 4, golden: true };
const outputs = [{ name: 'probability', data: [0.25, 0.5] }];

describe('what an endpoint answers to its golden request', () => {
  it('is read as who answered, and what', () => {
    expect(readReply({ status: 200, text: JSON.stringify({ parameters, outputs }) })).toEqual({
      kind: 'answer',
      release: digestOf('release'),
      epoch: 4,
      probabilities: [0.25, 0.5],
    });
  });

  it.each([
    ['of another shape', 200, '{}', 'failed'],
    ['no JSON', 200, '<html>', 'failed'],
    [
      'of an ordinary request',
      200,
      JSON.stringify({ parameters: { ...parameters, golden: false }, outputs }),
      'failed',
    ],
    ['what AWS says of a crash', 500, '{"message":"Internal Server Error"}', 'failed'],
    ['what AWS says of a time-out', 503, '{"message":"Service Unavailable"}', 'failed'],
    ['a refusal of what it promised to answer', 422, '{"error":"input-values: x"}', 'failed'],
    ['a throttle', 429, '{"message":"Too Many Requests"}', 'unavailable'],
    ['a call that is not allowed', 403, '{"message":"Forbidden"}', 'unavailable'],
  ] as const)('that is %s', (_, status, text, kind) => {
    expect(readReply({ status, text }).kind).toBe(kind);
  });

  it.each([
    ['release-read', 'unavailable'],
    ['pointer-read', 'unavailable'],
    ['aggregates-recent', 'unavailable'],
    ['champion-loads', 'failed'],
    ['answer-computed', 'failed'],
  ] as const)('that refuses by %s is %s', (rule, kind) => {
    const text = JSON.stringify({ error: refusalText({ rule, found: 'x', remedy: '' }) });
    expect(readReply({ status: 503, text }).kind).toBe(kind);
  });
});

it('finds the value that is not the promised one, and one that is missing', () => {
  const golden = {
    formatVersion: 1 as const,
    day: '2026-03-02',
    events: [{}, {}],
    context: [],
    probabilities: [0.25, 0.5],
  };
  expect(whyNotPromised(golden, [0.25, 0.5])).toBeUndefined();
  expect(whyNotPromised(golden, [0.25, 0.75])).toBe('event 1 gives 0.75, promised 0.5');
  expect(whyNotPromised(golden, [0.25])).toBe('1 probabilities, promised 2');
  expect(whyNotPromised(golden, [0.25, Number.NaN])).toContain('event 1 gives NaN');
});

it('knows a fault of a service, or of the way to it, from one of the release', () => {
  expect(isDependencyFault(Object.assign(new Error('slow down'), { $fault: 'server', $metadata: {} }))).toBe(true);
  expect(isDependencyFault(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toBe(true);
  expect(isDependencyFault(new TypeError('x is not a function'))).toBe(false);
  expect(isDependencyFault('text')).toBe(false);
});
