import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run as status } from '#cli/commands/status/status.ts';
import { keys } from '#domain/ledger/keys.ts';
import { judgeDrift } from '#domain/drift/judge-drift.ts';
import type { DriftEvidence } from '#domain/drift/judge-drift.ts';
import { comparisonRule } from '#test/domain/policy/_rule.ts';
import { DIFFERENT, DRIFT, HEALTHY, moved } from '#test/domain/drift/_evidence.ts';
import { soundState } from '../domain/audit/_state.ts';
import { fill, testContext } from './_context.ts';

const MODEL = 'flight-delay';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
});
afterAll(() => rm(home, { recursive: true }));

/** A check as it is kept among the runs. */
function check(at: string, evidence: Partial<DriftEvidence> = {}) {
  const found = judgeDrift({ ...HEALTHY, ...evidence }, DRIFT, comparisonRule());
  const parity = { ...found.parity, ...{ ...HEALTHY, ...evidence }.parity };
  const drift = { day: at, limits: { index: 0.1, disagreement: 1.3 }, ...found, parity };
  const about = {
    run: `check-${at}`,
    machine: 'drift',
    status: found.status,
    asOf: at,
    startedAt: `${at}T06:00:00.000Z`,
  };
  return { ...keys.run(MODEL, `check-${at}`), ...about, drift: JSON.parse(JSON.stringify(drift)) };
}

it('shows the newest check: inputs with their limits, each part with its reason, and where the picture is', async () => {
  const test = testContext({ model: MODEL, drift: true }, { home });
  await fill(test.ledgerOf('prod'), [
    check('2026-03-01'),
    check('2026-03-02', {
      stability: { measure: moved({ x: 0.381, y: 0.02, rate: 2.1 }), reason: '' },
      parity: DIFFERENT,
      concept: { promotion: null, live: null, judgeableFrom: null },
    }),
  ]);
  await fill(test.ledgerOf('dev'), [
    {
      ...keys.run(MODEL, 'by-drift'),
      run: 'by-drift',
      machine: 'retraining',
      status: 'rejected',
      trigger: 'drift',
      asOf: '2026-03-02',
    },
  ]);
  await status(test.context);
  const text = test.text();
  expect(text).toContain(
    'flight-delay in staging\n  was never checked: nothing is known of its drift, which is not stable',
  );
  expect(text).toContain('flight-delay in prod: DRIFTED');
  expect(text).toMatch(/x +0\.381 +█{20}\+ +0\.1 +stable, DRIFTED/);
  expect(text).toMatch(/y +0\.020 +██ +0\.1 +stable\n/);
  expect(text).toMatch(/rate +2\.100 +█{20}\+ +- +information/);
  expect(text).toMatch(/concept drift +INSUFFICIENT \(nothing is known, which is not stable\) +no loss was measured/);
  expect(text).toMatch(/parity +DIFFERS +features of 2001-02-01 .*: x in 3 rows/);
  expect(text).toContain('newest retraining by drift: by-drift, as of 2026-03-02, rejected');
  expect(text).not.toContain('OVERDUE');
  const picture = join(home, 'pictures', 'drift-flight-delay-prod.svg');
  expect(text).toContain(`picture: ${picture}`);
  const svg = await readFile(picture, 'utf8');
  expect(svg).toMatch(/^<svg [^]*<\/svg>\n$/);
  for (const said of ['Drift of flight-delay in prod: drifted', '0.381', '2026-03-01', 'rate'])
    expect(svg).toContain(said);
  const [{ environments }] = JSON.parse(test.text('json')).models;
  expect(environments[1]).toMatchObject({ environment: 'prod', newest: { status: 'drifted' }, picture });
});

it('says that a check is overdue, because what nobody has looked at is not stable', async () => {
  const test = testContext({ model: MODEL, drift: true }, { home });
  await fill(test.ledgerOf('prod'), [check('2026-02-27')]);
  await status(test.context);
  expect(test.text()).toContain('as of 2026-02-27 (check-2026-02-27), OVERDUE: nothing is known since');
  expect(test.text()).toContain('no retraining was started by drift');
});

it('has a line in the status: what the newest check found, and which stable inputs have moved', async () => {
  const test = testContext({ model: MODEL });
  const { pointer } = soundState();
  await fill(test.ledgerOf('prod'), [
    { ...keys.pointer(MODEL), ...pointer },
    check('2026-03-01'),
    check('2026-03-02', { stability: { measure: moved({ x: 0.381, y: 0.02, rate: 2.1 }), reason: '' } }),
  ]);
  await status(test.context);
  expect(test.text()).toContain(
    'prod drift as of 2026-03-02: drifted, moved: x 0.381; see: gatehouse status flight-delay --drift',
  );
});
