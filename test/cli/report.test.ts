import { describe, expect, it } from 'vitest';
import { GatehouseError } from '#domain/error.ts';
import { RefusedError, UsageError } from '#cli/refusal.ts';
import { failureOf } from '#cli/failure.ts';
import { duration, render, shortDigest, shortTime } from '#cli/report.ts';

const report = {
  data: { model: 'churn', versions: ['1.0.0'] },
  sections: [
    {
      title: 'releases',
      columns: ['version', 'stage'],
      rows: [
        ['1.0.0', 'Production'],
        ['1.0.1', 'Validation'],
      ],
    },
    { columns: ['nothing'], rows: [], empty: 'none is here' },
    { lines: ['done'] },
  ],
};

describe('render', () => {
  it('shows the same result as table, JSON and YAML', () => {
    expect(render(report, 'table')).toBe(
      [
        'releases',
        'version  stage',
        '1.0.0    Production',
        '1.0.1    Validation',
        '',
        '  none is here',
        '',
        'done',
      ].join('\n'),
    );
    expect(JSON.parse(render(report, 'json'))).toEqual(report.data);
    expect(render(report, 'yaml')).toBe('model: churn\nversions:\n  - 1.0.0');
  });

  it('shortens what people read', () => {
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab');
    expect(shortDigest(null)).toBe('-');
    expect(shortTime('2026-03-02T09:15:59.000Z')).toBe('2026-03-02 09:15Z');
    expect([900, 61_000, 3_723_000].map(duration)).toEqual(['0.9 s', '1 min 1 s', '1 h 2 min']);
  });
});

describe('failureOf', () => {
  it('names rule, value and remedy of a refusal, and exits with 1', () => {
    const refusal = {
      rule: 'approval-expired',
      found: 'people could decide until noon',
      remedy: 'request a new promotion',
    } as const;
    expect(failureOf(new RefusedError(refusal))).toEqual({
      exitCode: 1,
      lines: [
        'refused by approval-expired',
        '  found: people could decide until noon',
        '  to change it: request a new promotion',
      ],
      data: { error: { kind: 'refused', ...refusal } },
    });
  });

  it.each([
    [new UsageError('--env moon: expected dev'), 2, 'error: --env moon: expected dev'],
    [
      new GatehouseError('NO_TOKENS', 'the user pool gave no tokens'),
      3,
      'fault: NO_TOKENS: the user pool gave no tokens',
    ],
    [new TypeError('x is undefined'), 3, 'fault: TypeError: x is undefined'],
    ['a string', 3, 'fault: Error: a string'],
  ])('exits with its own code for %s', (error, exitCode, line) => {
    expect(failureOf(error)).toMatchObject({ exitCode, lines: [line] });
  });
});
