import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenRefusal } from '#domain/data/open-refusal.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { partitionIn } from '#domain/data/partition-item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { advancePointer } from '#domain/promotion/pointer.ts';
import { run as dataCheck } from '#cli/commands/data/check.ts';
import { refuseUnadmitted, unadmitted } from '#cli/commands/data/put.ts';
import { planReport } from '#cli/commands/prediction/plan.ts';
import { refuseBlocked } from '#cli/commands/run/blocked.ts';
import { run as show } from '#cli/commands/run/show.ts';
import { whyOverdue, whyRefused } from '#cli/commands/smoke-test/smoke-test.ts';
import { run as status } from '#cli/commands/status/status.ts';
import { render } from '#cli/report.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { Run } from '#read-model/runs.ts';
import { admitDays } from '../use-cases/_admitted.ts';
import { definition, MODEL } from '../use-cases/_environments.ts';
import { makeRelease } from '../use-cases/_releases.ts';
import { fill, supervised, testContext } from './_context.ts';

const RULE = 'source-columns-declared';
const FOUND = 'part.parquet of labels 2001-01-12: column bad is BIGINT, declared BOOLEAN';
const REMEDY = 'correct the partition, and write the marker again';
const SINCE = '2026-03-01T09:00:00.000Z';

function refusal(kind: OpenRefusal['kind'], day: string, over: Partial<OpenRefusal> = {}) {
  const about = { model: MODEL, kind, day, rule: RULE, found: FOUND, remedy: REMEDY, since: SINCE, resolvedAt: null };
  return { ...keys.refusal(MODEL, kind, day), ...about, ...over };
}

let test: ReturnType<typeof testContext>;
let release: Digest;
/** Production of four days, of which the last two are not scored: labels of the day before were refused when they arrived. */
beforeEach(async () => {
  test = testContext({ model: MODEL, run: 'run-7' }, { env: 'prod' });
  const ledger = test.ledgerOf('prod');
  release = await makeRelease(test.releasesOf('prod'), 'served');
  const schema = openManifest(await test.releasesOf('prod').read(release)).schemas.output;
  const about = { model: MODEL, environment: 'prod', current: release, version: '0.1.1', fencingToken: 1 };
  const pointer = advancePointer(undefined, { ...about, writtenBy: 'test', at: '2026-02-01T00:00:00.000Z' }, []);
  await fill(ledger, [{ ...keys.pointer(MODEL), ...pointer }]);
  await admitDays(ledger, '2001-01-10', '2001-01-13', { at: Date.parse(SINCE) });
  const catalogue = (
    await Promise.all((['events', 'labels'] as const).map((kind) => ledger.query(keys.partitions(MODEL, kind))))
  )
    .flat()
    .map(partitionIn);
  const features = featurePlanner(definition, FEATURE_ENGINE, catalogue);
  for (const day of ['2001-01-11', '2001-01-12']) {
    const planned = features(day);
    const object = { bucket: 'lake', key: day, versionId: '1', sha256: release, size: 1 };
    if (!planned.ready) throw new Error(`${day} is not ready`);
    const from = { model: MODEL, day, features: planned.digest, release, scorer: SCORER, schema };
    const made = { object, rows: 3, lineage: null, run: 'run-1', epoch: 1, publishedAt: '2026-03-01T10:00:00.000Z' };
    await fill(ledger, [{ ...keys.prediction(MODEL, day), formatVersion: 1, ...from, ...made }]);
  }
});

const prod = () => test.context.cloud('prod');
const ledger = () => test.ledgerOf('prod');
/** Lets the service level pass: the command line's clock stands at noon of March 2nd. */
const now = new Date('2026-03-02T12:00:00.000Z');

describe('refused and overdue days', () => {
  it('stand in the status of each environment with cause, age and what to do, and go when they are resolved', async () => {
    await supervised(test);
    await fill(ledger(), [refusal('predictions', '2001-01-13')]);
    await fill(test.ledgerOf('dev'), [refusal('labels', '2001-01-12'), refusal('labels', '2001-01-13')]);
    await status(test.context);
    const text = test.text();
    expect(text).toMatch(/prod +0\.1\.1 .* 2 days until 2001-01-12, 1 overdue/);
    expect(text).toContain(
      'prod is overdue: 1 days have no predictions within 24 h of their arrival; newest day scored: 2001-01-12',
    );
    expect(text).toContain(`  2001-01-13: ${RULE}: ${FOUND}; ${REMEDY}`);
    expect(text).toMatch(/dev +labels +2001-01-12 to 2001-01-13 \(2\) +2026-03-01 09:00Z +source-columns-declared/);
    expect(text).toMatch(/prod +predictions +2001-01-13 +2026-03-01 09:00Z/);
    expect(JSON.parse(test.text('json')).models[0]).toMatchObject({
      environments: [{ environment: 'staging' }, { level: { hours: 24, overdue: [{ day: '2001-01-13' }] } }],
      refusals: [{ environment: 'dev' }, { environment: 'dev' }, { environment: 'prod', kind: 'predictions' }],
    });
    const resolvedAt = '2026-03-02T09:00:00.000Z';
    await fill(
      test.ledgerOf('dev'),
      ['12', '13'].map((day) => refusal('labels', `2001-01-${day}`, { resolvedAt })),
    );
    const later = testContext({ model: MODEL });
    await status({ ...later.context, cloud: (environment) => test.context.cloud(environment) });
    expect(later.text()).not.toContain('dev  ');
  });

  it('say that the service level is not known, and the rest, where the release cannot be read', async () => {
    const elsewhere = testContext({ model: MODEL });
    for (const item of ledger().items.values()) await fill(elsewhere.ledgerOf('prod'), [item]);
    await status(elsewhere.context);
    expect(elsewhere.text()).toContain('prod: whether predictions are on time is not known: ');
    expect(elsewhere.text()).toContain('2 days until 2001-01-12');
  });

  it('fail the smoke test', async () => {
    expect(await whyRefused(prod(), MODEL)).toBeUndefined();
    expect(await whyOverdue(prod(), MODEL, now)).toBe(
      '2001-01-13 overdue (within 24 h of arrival); first: no batch run has published it',
    );
    await fill(ledger(), [refusal('labels', '2001-01-12')]);
    expect(await whyRefused(prod(), MODEL)).toContain(`1 refused; first: labels of 2001-01-12: ${RULE}: ${FOUND}`);
    expect(await whyOverdue(prod(), MODEL, new Date(SINCE))).toBeUndefined();
    expect(await whyOverdue(test.context.cloud('staging'), MODEL, now)).toBeUndefined();
  });

  it('are named by the plan with their cause, apart from days that only wait', async () => {
    const plan = async () => render(await planReport(prod(), MODEL, now), 'table');
    expect(await plan()).toMatch(/2001-01-13 +score +no predictions yet/);
    await fill(ledger(), [refusal('predictions', '2001-01-13')]);
    expect(await plan()).toMatch(
      /cannot be built or scored\n.*\n.*\n? *prod +predictions +2001-01-13 .*column bad is BIGINT/,
    );
    await admitDays(ledger(), '2001-01-15', '2001-01-15', { at: Date.parse(SINCE) });
    expect(await plan()).toMatch(/not yet\n +2001-01-15 waits for events of 2001-01-14/);
    await fill(ledger(), [refusal('events', '2001-01-14')]);
    const text = await plan();
    expect(text).toMatch(/predictions +2001-01-15 .*BIGINT, declared BOOLEAN; events of 2001-01-14 are not admitted/);
    expect(text).not.toContain('not yet');
  });
});

describe('landed files that are not admitted', () => {
  const landed = (kind: 'events' | 'labels', day: string, content: string) => ({
    kind,
    day,
    files: [{ file: 'part.parquet', sha256: digestOf(content) }],
  });
  const found = () =>
    unadmitted(ledger(), MODEL, [
      landed('events', '2001-01-11', 'events 2001-01-11'),
      landed('labels', '2001-01-14', 'labels 2001-01-14'),
      landed('events', '2001-01-15', 'events 2001-01-15'),
    ]);
  const about = { model: MODEL, environment: 'prod', total: 3 };

  it('end the command that landed them, with the cause where there is one', async () => {
    expect((await found()).map(({ name }) => name)).toEqual(['labels of 2001-01-14', 'events of 2001-01-15']);
    expect(refuseUnadmitted([], about)).toBeUndefined();
    expect(() => refuseUnadmitted([{ name: 'labels of 2001-01-14', refusal: undefined }], about)).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ rule: 'data-admitted' }) }),
    );
    await fill(ledger(), [refusal('events', '2001-01-15')]);
    const missing = await found();
    expect(() => refuseUnadmitted(missing, about)).toThrow(
      expect.objectContaining({
        refusal: {
          rule: RULE,
          found: `${FOUND}; 2 of 3 partitions are not admitted: labels of 2001-01-14, events of 2001-01-15`,
          remedy: `${REMEDY}; all causes: gatehouse data check ${MODEL} --env prod`,
        },
      }),
    );
  });

  it('are named by data check, with cause and exit code', async () => {
    const own = testContext({ model: 'flight-delay' }, { env: 'prod' });
    await fill(own.ledgerOf('prod'), [
      {
        ...refusal('labels', '2001-01-12'),
        ...keys.refusal('flight-delay', 'labels', '2001-01-12'),
        model: 'flight-delay',
      },
    ]);
    await expect(dataCheck(own.context)).rejects.toMatchObject({ refusal: { rule: RULE, remedy: REMEDY } });
    expect(own.text()).toMatch(/refused at admission[^]*prod +labels +2001-01-12 /);
  });
});

describe('a blocked batch run', () => {
  const blocked = [{ day: '2001-01-13', rule: RULE, found: FOUND, remedy: REMEDY }];
  const item = {
    ...keys.run(MODEL, 'run-7'),
    model: MODEL,
    run: 'run-7',
    machine: 'batch-inference',
    status: 'blocked',
    blockedDays: 14,
    blocked,
    lists: { published: 0, superseded: 1, unbuilt: ['2001-01-13'] },
  };

  it('is shown with its days and causes', async () => {
    await fill(ledger(), [item]);
    await show(test.context);
    expect(test.text()).toMatch(/status +blocked/);
    expect(test.text()).toMatch(/lists +\{"published":0,"superseded":1,"unbuilt":\["2001-01-13"\]\}/);
    expect(test.text()).toContain(`blocked days\n  2001-01-13: ${RULE}: ${FOUND}; ${REMEDY}\n  and 13 more`);
  });

  it('ends the command that waited for it, with the cause and the next step', () => {
    const run = withoutKey(Run, item);
    expect(() => refuseBlocked(MODEL, 'prod', run)).toThrow(
      expect.objectContaining({
        refusal: {
          rule: RULE,
          found: `${FOUND} (2001-01-13; 14 days blocked)`,
          remedy: `${REMEDY}; see: gatehouse prediction plan ${MODEL} --env prod`,
        },
      }),
    );
    expect(refuseBlocked(MODEL, 'prod', { ...run, status: 'published' })).toBeUndefined();
  });
});
