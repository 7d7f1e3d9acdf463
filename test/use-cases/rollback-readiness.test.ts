import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { isAlerting } from '#domain/audit/events.ts';
import { keys } from '#domain/ledger/keys.ts';
import { failed, type ReadinessCondition } from '#domain/rollback-readiness/conditions.ts';
import type { Retention } from '#domain/rollback-readiness/stored-objects.ts';
import type { KeyState } from '#domain/rollback-readiness/keys.ts';
import { readinessNow } from '#domain/rollback-readiness/readiness.ts';
import { execute, TaskError } from '#local/statemachines/interpreter.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readReadiness } from '#read-model/readiness.ts';
import { recordReleaseFailure } from '#use-cases/promotion/record-release-failure.ts';
import { checkSourceData } from '#use-cases/rollback-readiness/check-source-data.ts';
import { planDrill } from '#use-cases/rollback-readiness/plan-drill.ts';
import { recordReadiness } from '#use-cases/rollback-readiness/record-readiness.ts';
import { verifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import type { Task } from '#use-cases/task.ts';
import { engine } from './_admission.ts';
import { bytes, definition, type Environment, hours, MODEL, scoring } from './_environments.ts';
import { promote, rollBack } from './_machine.ts';
import { begin, here } from './_promotion-machine.ts';

const LAST = '2001-01-25';
const model = digestOf('MODEL baseline');
let prod: Environment;

beforeEach(async () => {
  await begin();
  ({ prod } = here);
  for (const kind of ['events', 'labels'])
    prod.lake.sources.set(`toy/${kind}/dt=${LAST}/part.parquet`, bytes(`${kind} ${LAST}`));
});

/** Runs the machine with every use-case. */
function drill(
  {
    run = 'drill-1',
    own = prod,
    before,
  }: { run?: string; own?: Environment; before?: (state: string) => unknown } = {},
  more: Readonly<Record<string, Task>> = {},
) {
  const deps = { ...own, engine };
  const tasks: Readonly<Record<string, Task>> = {
    'Plan drill': planDrill(own),
    'Verify rollback target': verifyRollbackTarget(own),
    'Check source data': checkSourceData(deps),
    'Record readiness': recordReadiness(own),
    'Record failure': recordReleaseFailure(own),
    ...more,
  };
  return execute(
    'rollback-readiness',
    { model: MODEL },
    async ({ state, payload }) => {
      await before?.(state);
      return JSON.parse(JSON.stringify(await tasks[state]?.(payload['input']))) as unknown;
    },
    run,
  );
}

const readiness = () => readReadiness(prod.ledger, MODEL);
const emitted = () => prod.metrics.emitted.map(([, values]) => values['RollbackReady']);
const checks = async () => (await prod.chain()).filter(({ code }) => code === 'ROLLBACK_READINESS_CHECKED');

describe('a rollback that would work', () => {
  beforeEach(async () => {
    await here.begin();
    await here.letIn('better');
  });

  it('is recorded once for a run, alerts nobody, and tells the alarm', async () => {
    expect((await drill()).path.at(-1)).toBe('Verified');
    expect((await drill()).path.at(-1)).toBe('Verified');
    const found = await readiness();
    expect(found).toMatchObject({ status: 'ready', release: here.baseline, version: '0.1.0', epoch: 2, failed: [] });
    expect(await checks()).toMatchObject([{ release: here.baseline, details: { status: 'ready', conditions: [] } }]);
    expect((await checks()).map(({ code, details }) => isAlerting(code, details))).toEqual([false]);
    expect(emitted()).toEqual([1, 1]);
    const now = readinessNow(found, await readPointer(prod.ledger, MODEL), prod.clock.now());
    expect(now).toMatchObject({ kind: 'ready', version: '0.1.0' });
  });

  const retained = (days: number, mode = 'GOVERNANCE'): Retention => ({
    kind: 'retained',
    mode,
    until: new Date(here.clock.at + hours(24 * days)).toISOString(),
  });
  const key = (state: string, usage = 'SIGN_VERIFY'): KeyState => ({ kind: 'key', state, usage });
  const keep = (retention: () => Retention) => () => void prod.versions.retentions.set(model, retention());
  const sign = (state: KeyState) => () => void prod.keys.states.set('alias/signing', state);
  const land = (text: string) => async () => {
    const name = `toy/events/dt=${LAST}/part.parquet`;
    prod.lake.sources.set(name, bytes(text));
    const item = await prod.ledger.get(keys.partition(MODEL, 'events', LAST));
    const files = [['part.parquet', '2', digestOf(text).slice('sha256:'.length), text.length]] as const;
    await prod.ledger.transact(
      [{ kind: 'put', item: { ...item, pk: `PARTITION#${MODEL}#events`, sk: LAST, files } }],
      'land',
    );
  };
  const score = (overrides: Partial<typeof scoring>) => () => {
    prod = { ...prod, scoring: { ...scoring, ...overrides } };
  };

  const BREAKAGES: readonly (readonly [string, string, () => unknown, RegExp])[] = [
    ['versions', 'is deleted', () => void prod.releases.objects.delete(model), /model\.onnx is not there/],
    [
      'versions',
      'has no manifest',
      () => void prod.releases.objects.delete(here.baseline),
      /the manifest is not there/,
    ],
    ['hashes', 'has other bytes', () => void prod.releases.objects.set(model, bytes('MODEL other')), /does not hash/],
    ['retention', 'is retained for 29 days', keep(() => retained(29)), /less than 30 days more/],
    ['retention', 'is not retained', keep(() => ({ kind: 'none' })), /not retained at all/],
    ['retention', 'is retained in no mode', keep(() => retained(99, 'NONE')), /unknown mode, NONE/],
    ['retention', 'may not be looked at', keep(() => ({ kind: 'unreadable', why: 'AccessDenied' })), /AccessDenied/],
    ['keys', 'has a disabled key', sign(key('Disabled')), /signing key alias\/signing is Disabled/],
    ['keys', 'has a key that is being deleted', sign(key('PendingDeletion')), /PendingDeletion/],
    ['keys', 'has a key for something else', sign(key('Enabled', 'ENCRYPT_DECRYPT')), /is for ENCRYPT_DECRYPT/],
    ['keys', 'has no key', sign({ kind: 'missing' }), /is not there/],
    ['keys', 'has a key that may not be described', sign({ kind: 'unreadable', why: 'AccessDenied' }), /AccessDenied/],
    ['loads', 'does not load', score({ inspect: () => 'operator Foo' }), /operator Foo/],
    ['schema', 'lacks a column', land('refused columns'), /source-columns-declared: refused columns/],
    ['schema', 'has data that is gone', () => prod.lake.sources.clear(), /events of 2001-01-25: .*not there/],
    ['golden', 'predicts otherwise', score({ checkGolden: async () => 'differ by 1e-3' }), /differ by 1e-3/],
  ];
  it.each(BREAKAGES)('is not: %s, where it %s', async (condition, _, breaks, found) => {
    await breaks();
    const { path, status } = await drill();
    expect([path.at(-1), status]).toEqual(['Not ready', 'SUCCEEDED']);
    const now = await readiness();
    expect(now?.failed.map((each) => each.condition)).toEqual([condition]);
    expect(now?.failed[0]?.found).toMatch(found);
    expect(now?.failed[0]?.remedy).not.toBe('');
    expect(now?.status).toBe('not-ready');
    expect((await checks()).map(({ code, details }) => isAlerting(code, details))).toEqual([true]);
    expect(emitted()).toEqual([0]);
  });

  it('looks at the key of the request log where the model is online, and at no other', async () => {
    prod.keys.states.delete('alias/request-log');
    expect((await drill()).path.at(-1)).toBe('Verified');
    const online = { ...definition, online: { context: [], maxRows: 1 } } as unknown as typeof definition;
    const models = prod.deployed.models.map((each) => ({ ...each, definition: online }));
    await drill({ run: 'drill-2', own: { ...prod, deployed: { ...prod.deployed, models } } });
    expect((await readiness())?.failed).toMatchObject([
      { condition: 'keys', found: expect.stringMatching(/request log/) },
    ]);
  });

  it.each(['Verify rollback target', 'Check source data'])('is not where "%s" looked at nothing', async (state) => {
    await drill({}, { [state]: async () => ({ checks: [], kinds: [] }) });
    const conditions = (await readiness())?.failed ?? [];
    expect(conditions.map(({ condition }) => condition)).toEqual(
      state === 'Check source data' ? ['schema'] : ['loads', 'golden'],
    );
    expect(conditions.every(({ found }) => found === 'it was not checked')).toBe(true);
  });

  it.each(['Plan drill', 'Verify rollback target', 'Check source data', 'Record readiness'])(
    'is not known where "%s" meets a fault, or takes too long',
    async (state) => {
      await drill();
      here.clock.at += hours(24);
      const before = (at: string) => {
        if (at === state) throw new TaskError('States.Timeout', 'it took too long');
      };
      expect(await drill({ run: 'drill-2', before })).toMatchObject({ status: 'FAILED' });
      const found = await readiness();
      expect(found).toMatchObject({ status: 'unknown', run: 'drill-2' });
      expect((await checks()).map(({ code, details }) => isAlerting(code, details))).toEqual([false, true]);
      expect(emitted()).toEqual([1, 0]);
      const now = readinessNow(found, await readPointer(prod.ledger, MODEL), prod.clock.now());
      expect(now).toMatchObject({ kind: 'not-checked', why: expect.stringMatching(/it took too long/) });
    },
  );

  it('is not recorded of a pointer that has moved meanwhile', async () => {
    const before = async (state: string) => {
      if (state === 'Record readiness')
        await rollBack(prod, { rollback: 'r', from: (await readPointer(prod.ledger, MODEL))?.current });
    };
    expect((await drill({ before })).path.at(-1)).toBe('Superseded');
    expect([await readiness(), await checks(), emitted()]).toEqual([undefined, [], []]);
  });

  it('is not recorded over what a later check has found', async () => {
    const before = async (state: string) => {
      if (state !== 'Record readiness') return;
      here.clock.at += 1000;
      await drill({ run: 'later' });
    };
    expect((await drill({ before })).path.at(-1)).toBe('Superseded');
    expect(await readiness()).toMatchObject({ run: 'later' });
  });

  it('says nothing of another target, or when it is old', async () => {
    await drill();
    const [found, pointer] = [await readiness(), await readPointer(prod.ledger, MODEL)];
    const at = (hour: number) => readinessNow(found, pointer, new Date(here.clock.at + hours(hour)));
    expect([at(26).kind, at(26.1).kind, at(-2).kind]).toEqual(['ready', 'not-checked', 'not-checked']);
    await here.letIn('best', { version: '0.1.2', requestSeq: 3 });
    expect(readinessNow(found, await readPointer(prod.ledger, MODEL), prod.clock.now())).toMatchObject({
      kind: 'not-checked',
      why: 'the newest check is of another target',
    });
  });
});

describe('where nothing is behind', () => {
  it('checks nothing before anything is promoted', async () => {
    expect((await drill()).path).toEqual(['Plan drill', 'Anything to verify?', 'Left unchecked']);
    expect(await checks()).toEqual([]);
  });

  it('is the status of a first release, which pages nobody', async () => {
    await here.begin();
    expect((await drill()).path.at(-1)).toBe('Left unchecked');
    expect(await readiness()).toMatchObject({ status: 'first-release', release: null, failed: [] });
    expect((await checks()).map(({ code, details }) => isAlerting(code, details))).toEqual([false]);
    expect(emitted()).toEqual([]);
  });

  it('is no readiness after a rollback to the first', async () => {
    await here.begin();
    const { release } = await here.letIn('better');
    await rollBack(prod, { rollback: 'r', from: release });
    await drill();
    expect(await readiness()).toMatchObject({ status: 'no-target', failed: [{ condition: 'target' }] });
    expect((await checks()).map(({ code, details }) => isAlerting(code, details))).toEqual([true]);
    expect(emitted()).toEqual([0]);
  });
});

describe('a promotion', () => {
  const BREAKAGES: readonly (readonly [ReadinessCondition, () => unknown])[] = [
    ['retention', () => void prod.versions.retentions.set(model, { kind: 'none' })],
    ['keys', () => prod.keys.states.clear()],
    [
      'golden',
      () =>
        (prod = {
          ...prod,
          scoring: {
            ...scoring,
            checkGolden: async (_, __, text) => (text.includes('baseline') ? 'differ' : undefined),
          },
        }),
    ],
  ];
  it.each(BREAKAGES)(
    'is refused by "rollback-target" where %s of what is served does not hold',
    async (condition, breaks) => {
      await here.begin();
      const { request, well, release } = await here.candidate('better');
      breaks();
      const { path, document } = await promote(prod, request, well);
      expect(path.at(-1)).toBe('Refused');
      const found = expect.stringMatching(`0\\.1\\.0 is not ready \\(${condition}\\): .+`);
      const { remedy } = failed(condition, '');
      expect(document['outcome']).toMatchObject({ refusal: { rule: 'rollback-target', found, remedy } });
      const [refused] = (await prod.chain()).filter(({ code }) => code === 'PROMOTION_REFUSED');
      expect(refused?.details).toMatchObject({ rule: 'rollback-target', reasons: [found] });
      expect((await readPointer(prod.ledger, MODEL))?.current).not.toBe(release);
    },
  );
});
