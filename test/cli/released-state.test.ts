import { describe, expect, it } from 'vitest';
import { type AuditRecord, recordOf } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { historyOf } from '#cli/commands/history/view.ts';
import { run as confirm } from '#cli/commands/promotion/confirm.ts';
import { run as history } from '#cli/commands/history/history.ts';
import { run as promote } from '#cli/commands/promotion/promote.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { run as status } from '#cli/commands/status/status.ts';
import { UsageError } from '#cli/refusal.ts';
import { soundState } from '../domain/audit/_state.ts';
import { fill } from './_context.ts';
import { afterRollback, MODEL } from './_after-rollback.ts';

describe('status', () => {
  it('shows what is served, what it would go back to, and the stage of each release', async () => {
    const test = await afterRollback({ model: MODEL });
    await status(test.context);
    expect(test.text()).toMatch(
      /prod +1\.0\.0 +[0-9a-f]{12} +confirmed +2026-03-02 09:00Z +0\.1\.0 +1 days until 2026-03-01/,
    );
    expect(test.text()).toMatch(/1\.0\.1 .* Quarantined/);
    expect(test.text()).toMatch(/1\.0\.0 .* Production/);
    expect(test.text()).toMatch(/0\.1\.0 .* Retired/);
    expect(JSON.parse(test.text('json'))).toMatchObject({
      models: [{ model: MODEL, environments: [{ environment: 'staging' }, { version: '1.0.0' }] }],
    });
  });
});

describe('history', () => {
  it('says what was in production, when, and who promoted it', async () => {
    const test = await afterRollback({ model: MODEL }, 'prod');
    await history(test.context);
    const found = JSON.parse(test.text('json')).history;
    expect(found).toMatchObject([
      { version: '1.0.0', act: 'rollback', to: null, letInBy: ['person:op'], because: 'wrong' },
      { version: '1.0.1', act: 'promotion', letInBy: ['person:ml-lead (ml-lead)', 'person:platform (platform)'] },
      { version: '1.0.0', act: 'promotion' },
      { version: '0.1.0', act: 'promotion', letInBy: [] },
    ]);
  });
});

describe('a release on probation', () => {
  const until = '2026-03-16T09:00:00.000Z';

  it('is shown as provisional', async () => {
    const test = await afterRollback({ model: MODEL });
    const pointer = { ...soundState().pointer, status: 'probation', until };
    await fill(test.ledgerOf('prod'), [{ ...keys.pointer(MODEL), ...pointer }]);
    await status(test.context);
    expect(test.text()).toMatch(/prod +1\.0\.0 +[0-9a-f]{12} +provisional until 2026-03-16 09:00Z/);
  });

  it('is overdue when that has passed, and says what its newest review found', async () => {
    const test = await afterRollback({ model: MODEL });
    const { pointer } = soundState();
    if (pointer === undefined) throw new Error('nothing is served');
    const review = (count: number, epoch: number) => ({
      ...keys.run(MODEL, `review-${count}`),
      run: `review-${count}`,
      machine: 'probation',
      status: 'wait',
      asOf: '2026-02-20',
      epoch,
      startedAt: `2026-02-2${count}T09:00:00.000Z`,
      review: {
        rule: 'too-early',
        reason: `seen ${count}`,
        change: 'seven days',
        maturity: { served: 800, matured: 600, share: 0.75 },
      },
    });
    await fill(test.ledgerOf('prod'), [
      { ...keys.pointer(MODEL), ...pointer, status: 'probation', until: '2000-01-01T00:00:00.000Z' },
      review(1, pointer.epoch),
      review(2, pointer.epoch),
      review(3, pointer.epoch - 1),
    ]);
    await status(test.context);
    expect(test.text()).toMatch(/provisional until 2000-01-01 00:00Z, overdue/);
    expect(test.text()).toContain(
      'prod was reviewed as of 2026-02-20 (review-2): wait, 600 of 800 rows have a label (75 %)\n  seen 2\n  what would change it: seven days',
    );
  });

  it('is provisional in the history until it was confirmed, which says when and by whom', () => {
    const records = soundState().stored.map(({ document }) => recordOf({ pk: '', sk: '', document }).record);
    const act = records.findLast(({ code }) => code === 'RELEASE_PROMOTED');
    if (act === undefined) throw new Error('nothing was promoted');
    const provisional = { ...act, details: { ...act.details, probationUntil: until } };
    expect(historyOf([provisional])[0]?.standing).toBe('provisional until 2026-03-16 09:00Z');
    const confirmed: AuditRecord = { ...act, code: 'RELEASE_CONFIRMED', actor: 'person:op', details: {} };
    expect(historyOf([provisional, confirmed])).toMatchObject([
      { standing: 'confirmed 2026-03-02 09:00Z by person:op' },
    ]);
    const digest = digestOf('x');
    const judged: AuditRecord = {
      ...act,
      code: 'RELEASE_JUDGED',
      details: {
        run: 'r',
        promotion: 'p',
        shadow: digest,
        epoch: 2,
        asOf: '2026-03-16',
        days: 7,
        policy: digest,
        verdict: 'CONFIRM',
        rule: 'slow',
        reason: 'better',
        maturity: { served: 800, matured: 600, share: 0.75 },
        point: 0.01,
        interval: [0.001, 0.02],
        measures: { fast: null, slow: digest },
      },
    };
    const standing = 'judged to be kept 2026-03-02 09:00Z by the slow rule on 600 labels (75 %)';
    expect(historyOf([provisional, judged])).toMatchObject([{ standing }]);
    expect(historyOf([provisional, judged, confirmed])).toMatchObject([
      { standing: `confirmed 2026-03-02 09:00Z by person:op, ${standing}` },
    ]);
  });

  it.each([
    ['what is confirmed', 'prod'],
    ['nothing', 'staging'],
  ])('is what can be confirmed, not %s', async (_, env) => {
    const test = await afterRollback({ model: MODEL, reason: 'better on each day' }, env);
    await expect(confirm(test.context)).rejects.toMatchObject({ refusal: { rule: 'probation-release' } });
  });
});

describe('a hotfix', () => {
  it('is not propagated: status, why and history say so', async () => {
    const state = soundState();
    const promotion = state.promotions.find(({ version }) => version === '1.0.1');
    if (promotion === undefined || state.pointer === undefined) throw new Error('nothing was promoted');
    const pendingPropagation = {
      release: promotion.release,
      version: '1.0.1',
      promotion: promotion.promotion,
      since: promotion.openedAt,
    };
    const items = [
      { ...keys.pointer(MODEL), ...state.pointer, pendingPropagation },
      {
        ...keys.promotion(MODEL, promotion.promotion),
        ...promotion,
        transition: 'hotfix',
        source: 'dev',
        hotfix: { reason: 'the carrier renamed its codes' },
      },
    ];
    const shown = async (run: typeof status, given: Readonly<Record<string, unknown>>): Promise<string> => {
      const test = await afterRollback(given);
      await fill(test.ledgerOf('prod'), items);
      await run(test.context);
      return test.text();
    };
    expect(await shown(status, { model: MODEL })).toMatch(
      /prod: the hotfix 1\.0\.1 .* is not propagated since 2026-03-02 09:00Z/,
    );
    // Staging has promoted it since: its pending propagation holds up nobody, and the status says nothing of it.
    const carried = await afterRollback({ model: MODEL });
    await fill(carried.ledgerOf('prod'), items);
    const promoted = state.stored.find(
      ({ document }) => document.includes('RELEASE_PROMOTED') && document.includes(pendingPropagation.release),
    );
    if (promoted === undefined) throw new Error('nothing was promoted');
    await fill(carried.ledgerOf('staging'), [{ ...keys.chainRecord(MODEL, 1), document: promoted.document }]);
    await status(carried.context);
    expect(carried.text()).not.toContain('is not propagated');
    await fill(carried.ledgerOf('staging'), [
      { ...keys.quarantine(MODEL, pendingPropagation.release), release: pendingPropagation.release },
    ]);
    await status(carried.context);
    expect(carried.text()).toContain('is not propagated');
    const because = await shown(why, { release: `${MODEL}@1.0.1`, to: 'prod' });
    expect(because).toContain('past staging, from dev: the carrier renamed its codes');
    expect(because).toContain(
      'it is a hotfix that is not propagated: no other release is promoted until staging serves its digest',
    );
    const records = state.stored.map(({ document }) => recordOf({ pk: '', sk: '', document }).record);
    const act = records.findLast(({ code }) => code === 'RELEASE_PROMOTED');
    if (act === undefined) throw new Error('nothing was promoted');
    const hotfix = { ...act, details: { ...act.details, hotfix: { reason: 'the carrier renamed its codes' } } };
    expect(historyOf([hotfix])).toMatchObject([
      { act: 'hotfix', because: 'the carrier renamed its codes', standing: 'confirmed, not propagated' },
    ]);
    expect(historyOf([hotfix, act])[1]?.standing).toBe('confirmed');
  });

  it.each([{ hotfix: true }, { reason: 'the carrier renamed its codes' }])(
    'is asked for with its reason: %s alone is no use of the command',
    async (given) => {
      const test = await afterRollback({ release: `${MODEL}@1.0.1`, to: 'prod', ...given });
      await expect(promote(test.context)).rejects.toThrow(UsageError);
    },
  );
});
