import { ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { recordOf } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { governedState } from '#domain/audit/standing.ts';
import { type Item, textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { isMissing, notDeployed } from '#cli/cloud.ts';
import { blastRadiusReport } from '#cli/commands/prediction/blast-radius.ts';
import { checkData, inspect } from '#cli/commands/data/check.ts';
import { fsckReport } from '#cli/commands/fsck/fsck.ts';
import { predictionsReport } from '#cli/commands/prediction/show.ts';
import { refusalOf } from '#cli/commands/promotion/promote.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { run as rollback } from '#cli/commands/rollback/rollback.ts';
import { RefusedError } from '#cli/refusal.ts';
import { render } from '#cli/report.ts';
import { type ReleaseFacts, stageOf } from '#cli/stages.ts';
import { checkInvariants } from '#domain/audit/invariants.ts';
import { readStandingItems } from '#read-model/standing.ts';
import { soundState } from '../domain/audit/_state.ts';
import { fill, testContext } from './_context.ts';
import { afterRollback, MODEL } from './_after-rollback.ts';

describe('why', () => {
  it('shows each gate and each approval of the newest promotion', async () => {
    const test = await afterRollback({ release: `${MODEL}@1.0.1`, to: 'prod' });
    await why(test.context);
    expect(test.text()).toMatch(/better-than-champion +PASS +fine/);
    expect(test.text()).toMatch(/person:ml-lead +ml-lead +approve +was used for this promotion/);
    expect(test.text()).toContain('it was promoted at 2026-03-02 09:00Z');
    // The end of it: what became of the release afterwards.
    expect(test.text()).toMatch(
      /\n {2}release-quarantined: flight-delay@1\.0\.1 was rolled back in prod at .* by person:op: wrong; what a person quarantined stays.*$/,
    );
  });

  it.each([
    [`${MODEL}@9.9.9`, 'prod', 'release-known'],
    ['sha256:00000000', 'prod', 'release-known'],
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

  it.each([['0.1.0'], [`${MODEL}@0.1.0`], [digestOf('0.1.0').slice(0, 20)]])(
    'says what it would do to go to %s, and does nothing',
    async (to) => {
      const test = await afterRollback({ model: MODEL, reason: 'wrong', to, dryRun: true }, 'prod');
      await rollback(test.context);
      expect(test.text()).toContain(`would take ${MODEL} in prod back from 1.0.0 to 0.1.0 (${digestOf('0.1.0')})`);
      expect(test.text()).toContain('and repair 1 days of predictions; nothing was changed');
    },
  );

  it('refuses to go to what was not confirmed before, and names what was', async () => {
    const test = await afterRollback({ model: MODEL, reason: 'wrong', to: '1.0.1' }, 'prod');
    await expect(rollback(test.context)).rejects.toMatchObject({
      refusal: { rule: 'rollback-target', found: '1.0.1 was not confirmed before 1.0.0', remedy: 'name one of: 0.1.0' },
    });
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
