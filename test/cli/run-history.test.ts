import { expect, it } from 'vitest';
import { runsOf, runsReport } from '#cli/commands/history/runs.ts';
import { render } from '#cli/report.ts';
import type { AuditRecord } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';

/** Records of dev's chain, of which only code and details matter here. */
const chain = (...said: readonly (readonly [AuditRecord['code'], Record<string, unknown>])[]): AuditRecord[] =>
  said.map(
    ([code, details], seq) =>
      ({
        seq,
        code,
        at: `2026-03-0${seq + 1}T09:00:00.000Z`,
        actor: 'pipeline:test',
        details,
      }) as unknown as AuditRecord,
  );
const started = (run: string) => ['RETRAINING_STARTED', { run, asOf: '2026-03-01', trigger: 'schedule' }] as const;
const reasons = ['month: log loss 0.3 against the champion’s 0.2'];
const offered = {
  run: 'second',
  asOf: '2026-03-01',
  version: '0.2.0',
  champion: digestOf('champion'),
  measure: digestOf('measure'),
  improvement: 0.0234,
};

it('shows each run in dev what it registered and how it ended, the newest first', () => {
  const runs = runsOf(
    chain(
      started('first'),
      ['BASELINE_REGISTERED', { run: 'first', asOf: '2026-03-01', version: '0.1.0', baseRate: 0.1 }],
      ['CANDIDATES_REJECTED', { run: 'first', asOf: '2026-03-01', reasons }],
      started('second'),
      ['RELEASE_OFFERED', offered],
      started('third'),
      ['RUN_FAILED', { machine: 'retraining', run: 'third', state: 'Train windows', error: 'out of memory' }],
      started('fourth'),
    ),
  );
  expect(runs).toMatchObject([
    { run: 'fourth', versions: [], conclusion: undefined },
    { run: 'third', conclusion: 'failed', reasons: ['out of memory'], record: 6 },
    { run: 'second', conclusion: 'offered 0.2.0', reasons: ['+2.34 % against production'] },
    { run: 'first', versions: ['0.1.0'], conclusion: 'rejected', reasons, startedAt: '2026-03-01T09:00:00.000Z' },
  ]);
  const text = render(runsReport('toy', runs), 'table');
  expect(text).toMatch(/fourth +2026-03-01 .* nothing +none yet/);
  expect(text).toMatch(/first .* 0\.1\.0 +rejected +month: log loss/);
  expect(render(runsReport('toy', []), 'table')).toContain('gatehouse run start toy');
});

it('leaves out what is no run of training', () => {
  const failed = { machine: 'drift', run: 'check', state: 'Judge', error: 'e' };
  expect(runsOf(chain(['RUN_FAILED', failed]))).toEqual([]);
});
