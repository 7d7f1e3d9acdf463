import { ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, recordOf } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { governedState } from '#domain/audit/standing.ts';
import { type Item, textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { isMissing, notDeployed } from '#cli/cloud.ts';
import { blastRadiusReport } from '#cli/commands/prediction/blast-radius.ts';
import { checkData, inspect } from '#cli/commands/data/check.ts';
import { fsckReport } from '#cli/commands/fsck/fsck.ts';
import { historyOf } from '#cli/commands/history/view.ts';
import { run as confirm } from '#cli/commands/promotion/confirm.ts';
import { run as history } from '#cli/commands/history/history.ts';
import { predictionsReport } from '#cli/commands/prediction/show.ts';
import { refusalOf, run as promote } from '#cli/commands/promotion/promote.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { run as rollback } from '#cli/commands/rollback/rollback.ts';
import { run as status } from '#cli/commands/status/status.ts';
import { RefusedError, UsageError } from '#cli/refusal.ts';
import { render } from '#cli/report.ts';
import { type ReleaseFacts, stageOf } from '#cli/stages.ts';
import { checkInvariants } from '#domain/audit/invariants.ts';
import { readStandingItems } from '#read-model/standing.ts';
import { soundState, START } from '../domain/audit/_state.ts';
import { fill, testContext } from './_context.ts';

const MODEL = 'flight-delay';

/** A context in whose prod two releases were promoted and one was rolled back. */
async function afterRollback(given: Readonly<Record<string, unknown>>, env?: string) {
  const test = testContext(given, env === undefined ? {} : { env });
  const state = soundState();
  await fill(test.ledgerOf('prod'), [
    ...state.standing,
    ...state.stored.map(({ seq, ...item }) => ({ ...keys.chainRecord(MODEL, seq), ...item })),
    ...state.predictions.map((manifest) => ({ ...keys.prediction(MODEL, manifest.day), ...manifest })),
  ]);
  const versions = ['0.1.0', '1.0.0', '1.0.1'];
  await fill(test.ledgerOf('dev'), [
    ...versions.map((version) => ({ ...keys.version(MODEL, version), release: digestOf(version) })),
    ...versions.map((version) => ({
      ...keys.registration(MODEL, digestOf(version)),
      formatVersion: 1,
      model: MODEL,
      release: digestOf(version),
      kind: version === '0.1.0' ? 'baseline' : 'trained',
      version,
      reason: 'the same recipe on other data',
      owner: 'ops',
      creator: 'pipeline:registration',
      at: START.toISOString(),
      run: 'run-1',
      window: 'four-weeks',
      metrics: {},
      parent: null,
    })),
  ]);
  return test;
}

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

describe('why', () => {
  it('shows each gate and each approval of the newest promotion', async () => {
    const test = await afterRollback({ release: `${MODEL}@1.0.1`, to: 'prod' });
    await why(test.context);
    expect(test.text()).toMatch(/better-than-champion +PASS +fine/);
    expect(test.text()).toMatch(/person:ml-lead +ml-lead +approve +was used for this promotion/);
    expect(test.text()).toContain('it was promoted at 2026-03-02 09:00Z');
    // The end of it: what became of the release afterwards.
    expect(test.text()).toMatch(
      /\n {2}release-quarantined: flight-delay@1\.0\.1 was rolled back in prod at .* by person:op: wrong; a quarantined digest never comes back.*$/,
    );
  });

  it.each([
    [`${MODEL}@9.9.9`, 'prod', 'release-known'],
    ['sha256:00000000', 'prod', 'release-known'],
    [`${MODEL}@1.0.1`, 'staging', 'promotion-known'],
  ])('refuses %s to %s', async (release, to, rule) => {
    const test = await afterRollback({ release, to });
    await expect(why(test.context)).rejects.toMatchObject({ refusal: { rule } });
  });
});

describe('rollback', () => {
  it('refuses where there is nothing to go back to', async () => {
    const empty = testContext({ model: MODEL, reason: 'wrong' }, { env: 'prod' });
    await expect(rollback(empty.context)).rejects.toMatchObject({ refusal: { rule: 'rollback-target' } });
  });

  it('refuses where what it would go back to is quarantined', async () => {
    const test = await afterRollback({ model: MODEL, reason: 'wrong' }, 'prod');
    await fill(test.ledgerOf('prod'), [{ ...keys.quarantine(MODEL, digestOf('0.1.0')), release: digestOf('0.1.0') }]);
    await expect(rollback(test.context)).rejects.toMatchObject({ refusal: { rule: 'release-quarantined' } });
  });
});

describe('predictions', () => {
  const { predictions, pointer, stored } = soundState();
  const records = stored.map(({ document }) => recordOf({ pk: '', sk: '', document }).record);

  it('shows whose they are', () => {
    const report = predictionsReport(MODEL, 'prod', pointer?.current, predictions, null);
    expect(render(report, 'table')).toMatch(/2026-03-01 +1 +0 +[0-9a-f]{12} +yes/);
    expect(render(predictionsReport(MODEL, 'prod', digestOf('x'), predictions, null), 'table')).toMatch(/ NO /);
  });

  it('shows the blast radius of a release, and that a repaired one is clean', () => {
    const [bad, served] = [digestOf('1.0.1'), digestOf('1.0.0')];
    expect(
      blastRadiusReport('prod', { model: MODEL, release: bad, version: '1.0.1' }, predictions, records).data,
    ).toMatchObject({ now: { days: [], rows: 0 } });
    expect(
      blastRadiusReport('prod', { model: MODEL, release: served, version: '1.0.0' }, predictions, records).data,
    ).toMatchObject({ now: { days: ['2026-03-01'], rows: 1 } });
  });
});

describe('fsck', () => {
  it('says which invariant is broken, where and how', () => {
    const state = soundState();
    const clean = fsckReport(checkInvariants(state));
    expect(clean.data).toMatchObject({ isClean: true });
    const text = render(fsckReport(checkInvariants({ ...state, quarantined: [] })), 'table');
    expect(text).toMatch(/prod +flight-delay +nothing-quarantined +VIOLATED \(1\)/);
    expect(text).toContain('was rolled back (record 28) and is not quarantined');
  });

  it('names the item that somebody edited in the table', async () => {
    const state = soundState();
    const test = await afterRollback({});
    const ledger = test.ledgerOf('prod');
    const standing = (): Promise<readonly Item[]> => readStandingItems(ledger, MODEL);
    const text = async (): Promise<string> =>
      render(fsckReport(checkInvariants({ ...state, ...governedState(await standing()) })), 'table');
    expect(await text()).toMatch(/ledger-replays +ok/);
    const edit = (item: Item) => ledger.transact([{ kind: 'put', item }], textOf(item, 'role'));
    const [approval] = (await standing()).filter(({ pk }) => pk.startsWith('APPROVAL#'));
    if (approval === undefined) throw new Error('nobody approved');
    await edit({ ...approval, role: 'risk' });
    expect(await text()).toMatch(/ledger-replays +VIOLATED \(1\)/);
    expect(await text()).toContain(`${approval.pk} ${approval.sk}: role is "risk", record`);
    await edit({ ...approval, role: 'nobody' });
    expect(await text()).toMatch(/cannot be read: role: /);
  });
});

const partition = (kind: 'events' | 'labels', day: string, version = 1) => ({ kind, day, version });

describe('data check', () => {
  it('finds gaps, days that wait for labels, and corrections', () => {
    const events = ['2026-03-01', '2026-03-02', '2026-03-04'].map((day) => partition('events', day));
    const labels = [partition('labels', '2026-03-03', 2), partition('labels', '2026-03-04')];
    expect(checkData(events, labels, 2)).toMatchObject({
      missingEvents: ['2026-03-03'],
      missingLabels: [],
      unlabeled: ['2026-03-04'],
      corrected: [{ kind: 'labels', day: '2026-03-03', version: 2 }],
    });
    expect(checkData([], [], 2)).toMatchObject({ missingEvents: [], unlabeled: [], events: { days: 0, first: null } });
  });

  it('says what the suites found in the partitions as they are now', () => {
    const admitted = (day: string, mark = '') => {
      const object = { bucket: 'b-1', key: 'k', versionId: 'v', sha256: digestOf(day), size: 1 };
      return { kind: 'events' as const, day, digest: digestOf(`${day}${mark}`), objects: [object] };
    };
    const failures = [
      { expectation: 'expect_column_values_to_not_be_null', about: 'column=x', found: '2 of 9 values' },
    ];
    const checked = ['2026-03-01', '2026-03-02'].map((day) => {
      const { kind, digest } = admitted(day);
      return { kind, day, digest, suite: digestOf('suite'), rows: 9, failures };
    });
    const corrected = admitted('2026-03-02', ' as it was corrected');
    expect(
      inspect(checked, [admitted('2026-03-01'), corrected, { ...corrected, day: '2026-03-03', objects: [] }]),
    ).toEqual({
      seen: 1,
      unseen: 1,
      failures: ['events of 2026-03-01: expect_column_values_to_not_be_null(column=x): 2 of 9 values'],
      groups: ['events of 2026-03-01: expect_column_values_to_not_be_null(column=x): 2 of 9 values'],
    });
  });
});

describe('stageOf', () => {
  const nowhere = { isCurrent: false, wasPromoted: false, newestPromotion: undefined };
  const fresh: ReleaseFacts = {
    isOffered: false,
    isRejectedInDev: false,
    isQuarantined: false,
    staging: nowhere,
    prod: nowhere,
  };
  it.each<[string, Partial<ReleaseFacts>]>([
    ['Experimentation', {}],
    ['Rejected', { isRejectedInDev: true }],
    ['Validation', { isOffered: true }],
    ['Validation', { staging: { ...nowhere, newestPromotion: 'open' } }],
    ['Rejected', { isOffered: true, staging: { ...nowhere, newestPromotion: 'refused' } }],
    ['Staging', { staging: { ...nowhere, isCurrent: true, wasPromoted: true } }],
    ['Rejected', { staging: { ...nowhere, wasPromoted: true }, prod: { ...nowhere, newestPromotion: 'refused' } }],
    ['Production', { prod: { ...nowhere, isCurrent: true, wasPromoted: true } }],
    ['Retired', { prod: { ...nowhere, wasPromoted: true, newestPromotion: 'committed' } }],
    ['Quarantined', { prod: { ...nowhere, wasPromoted: true }, isQuarantined: true }],
  ])('is %s', (stage, facts) => {
    expect(stageOf({ ...fresh, ...facts })).toBe(stage);
  });
});

describe('an environment', () => {
  it('that is not deployed is named, with the command that deploys it', () => {
    const missing = new ResourceNotFoundException({ message: 'Requested resource not found', $metadata: {} });
    expect(isMissing(missing)).toBe(true);
    expect(() => notDeployed('prod', missing)).toThrow(RefusedError);
    expect(() => notDeployed('prod', missing)).toThrow('environment-deployed: prod is not deployed');
  });

  it('that refuses the caller is named, and any other error passes', () => {
    const denied = Object.assign(new Error('User is not authorized'), { name: 'AccessDeniedException' });
    expect(() => notDeployed('prod', denied)).toThrow('credentials: no credentials for prod that it accepts');
    expect(() => notDeployed('prod', new TypeError('x'))).toThrow(TypeError);
  });
});

describe('a request that opened no promotion', () => {
  it('is found in the target’s chain by its record in control', () => {
    const [first] = soundState().stored;
    const { record, hash } = recordOf({ pk: '', sk: '', document: first?.document ?? '' });
    const refused = {
      ...record,
      code: 'PROMOTION_REFUSED' as const,
      details: { promotion: 'request-control-7', rule: 'released-upstream', reasons: ['staging has not'] },
    };
    expect(refusalOf([{ record: refused, hash }], 7)).toEqual({
      status: 'refused',
      rule: 'released-upstream',
      found: 'staging has not',
    });
    expect(refusalOf([{ record: refused, hash }], 8)).toBeUndefined();
    const failed = {
      ...record,
      code: 'PROMOTION_FAILED' as const,
      details: { promotion: 'request-control-7', state: 'States.Timeout', error: 'no answer' },
    };
    expect(refusalOf([{ record: failed, hash }], 7)).toEqual({
      status: 'refused',
      rule: 'promotion-succeeded',
      found: 'States.Timeout: no answer',
    });
  });
});
