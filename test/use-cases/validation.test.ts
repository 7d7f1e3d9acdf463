import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { keys } from '#domain/ledger/keys.ts';
import { LOST } from '#test/domain/data/_joins.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { probationRule } from '#test/domain/policy/_rule.ts';
import { openRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { holdAsInconclusive, offerRelease, rejectCandidates } from '#use-cases/validation/conclude-validation.ts';
import { evaluateCandidates } from '#use-cases/validation/evaluate-candidates.ts';
import { admitDays } from './_admitted.ts';
import { bytes, definition, deployed, type Environment, MODEL, policy, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

const RUN = 'toy-run-1';
let dev: Environment;
beforeEach(async () => {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
});
const open = (run = RUN) =>
  openRetrainingRun(dev)({ model: MODEL, run, trigger: 'schedule', asOf: '2001-01-20T06:00:00Z' });
const runStatus = async (): Promise<unknown> => (await dev.ledger.get(keys.run(MODEL, RUN)))?.['status'];
const written = async (value: unknown, store = dev.documents): Promise<Digest> =>
  (await store.write(bytes(canonicalJson(value)))).digest;

describe('registration', () => {
  const register = async (run: string, candidates: readonly string[], baseline: string | null) => {
    const made = await Promise.all(
      candidates.map(async (text) => ({
        release: await makeRelease(dev.releases, text),
        window: 'all',
        fingerprint: digestOf(text),
        metrics: { logLoss: 0.4 },
        agreement: text === 'one' ? { rows: 200, greatestDifference: 1e-7 } : null,
        joins: text === 'one' ? LOST : null,
      })),
    );
    const base =
      baseline === null
        ? null
        : { release: await makeRelease(dev.releases, baseline, 'baseline'), baseRate: 0.2, window: 'all' };
    return registerCandidates(dev)({ model: MODEL, run, candidates: made, baseline: base }) as Promise<{
      candidates: { release: Digest; version: string }[];
    }>;
  };

  it('gives the baseline 0.1.0 and each candidate the next version, with its reason', async () => {
    const { candidates } = await register(RUN, ['one', 'two'], 'base');
    expect(candidates.map(({ version }) => version)).toEqual(['1.0.0', '1.0.1']);
    expect((await dev.chain()).map(({ code, details }) => [code, details['version'], details['reason']])).toEqual([
      ['BASELINE_REGISTERED', '0.1.0', undefined],
      ['RELEASE_REGISTERED', '1.0.0', 'against 0.1.0: only the baseline is released'],
      ['RELEASE_REGISTERED', '1.0.1', 'against 0.1.0: only the baseline is released'],
    ]);
    const [one, two] = await Promise.all(
      candidates.map(({ release }) => dev.ledger.get(keys.registration(MODEL, release))),
    );
    expect(one).toMatchObject({
      owner: 'owners',
      creator: 'pipeline:registration',
      agreement: { rows: 200 },
      joins: LOST,
    });
    for (const name of ['agreement', 'joins']) expect(two).not.toHaveProperty(name);
  });

  it('makes no new version of what was made from the same, though its bytes differ', async () => {
    const [first] = (await register(RUN, ['one'], 'base')).candidates;
    // The same data: `makeRelease` names it by what comes before the mark.
    const again = await register('toy-run-2', ['one#trained again'], null);
    expect(again.candidates).toEqual([first]);
    const other = await register('toy-run-3', ['two'], null);
    expect(other.candidates[0]?.version).toBe('1.0.1');
    expect((await dev.codes()).filter((code) => code === 'RELEASE_REGISTERED')).toHaveLength(2);
  });

  it('gives the level at which the columns of its sources differ from those of what is released', async () => {
    const of = (columns: ModelDefinition['events']['columns']): ModelDefinition => ({
      ...definition,
      events: { ...definition.events, columns: { ...definition.events.columns, ...columns } },
    });
    const register1 = async (text: string, own: ModelDefinition) => {
      const release = await makeRelease(dev.releases, text, 'trained', {
        definition: own,
        sql: SQL,
        onnx: bytes(text),
      });
      const candidate = { release, window: 'all', fingerprint: digestOf(text), metrics: {} };
      await registerCandidates(dev)({ model: MODEL, run: text, candidates: [candidate], baseline: null });
      const { version, reason } = (await dev.chain()).at(-1)?.details ?? {};
      return { release, said: [version, reason] };
    };
    const fee = { type: 'DOUBLE', since: '2026-11-01', default: 0 } as const;
    await register1('base', of({}));
    const plain = await register1('plain', of({}));
    expect(plain.said[0]).toBe('1.0.0');
    const served = {
      environment: 'prod',
      release: plain.release,
      version: '1.0.0',
      seq: 1,
      record: digestOf('served'),
    };
    await dev.ledger.transact([{ kind: 'put', item: { ...keys.released(MODEL), ...served } }], 'served');
    expect((await register1('later', of({ fee }))).said).toEqual([
      '1.1.0',
      'against 1.0.0: events column fee was added since 2026-11-01',
    ]);
    expect((await register1('again', of({ fee }))).said[0]).toBe('1.1.1');
    const { said } = await register1('required', of({ fee: 'DOUBLE' }));
    expect(said).toEqual([
      '2.0.0',
      'against 1.0.0: events column fee was added without since, and earlier days lack it',
    ]);
    // A version whose columns cannot be read any more may have had any.
    dev.releases.objects.delete(plain.release);
    expect((await register1('after a loss', of({ fee: 'DOUBLE' }))).said).toEqual([
      '2.0.1',
      expect.stringContaining('against 1.0.0: its columns are not known: '),
    ]);
  });

  it('is done once per digest, and the baseline once per model', async () => {
    const first = await register(RUN, ['one'], 'base');
    expect(await register(RUN, ['one'], 'base')).toEqual(first);
    const second = await register('toy-run-2', ['two'], 'another base');
    expect(second.candidates).toMatchObject([{ version: '1.0.1' }]);
    expect((await dev.codes()).filter((code) => code === 'BASELINE_REGISTERED')).toHaveLength(1);
  });

  it('makes up for a baseline that the first run could not make', async () => {
    await register(RUN, ['one'], null);
    await register('toy-run-2', ['two'], 'base');
    expect(await dev.codes()).toEqual(['RELEASE_REGISTERED', 'BASELINE_REGISTERED', 'RELEASE_REGISTERED']);
  });
});

describe('validation', () => {
  const evaluate = async (measures: Record<string, { selection: ComparisonMeasure; test: ComparisonMeasure }>) => {
    const comparisons = [];
    for (const [name, slices] of Object.entries(measures)) {
      for (const slice of ['selection', 'test'] as const)
        comparisons.push({ candidate: digestOf(name), slice, measure: await written(slices[slice]) });
    }
    return evaluateCandidates({ deployed, documents: dev.documents })({
      model: MODEL,
      measured: { status: 'measured', comparisons },
    });
  };
  const better = fortnight(0.03);
  const good = fortnight(0.02);

  it('chooses on the selection days and judges on the test days', async () => {
    expect(
      await evaluate({ a: { selection: good, test: better }, b: { selection: better, test: good } }),
    ).toMatchObject({
      verdict: 'PASS',
      release: digestOf('b'),
      improvement: expect.closeTo(0.02, 6),
    });
    expect(
      await evaluate({ a: { selection: better, test: fortnight(-0.1) }, b: { selection: good, test: better } }),
    ).toMatchObject({ verdict: 'FAIL', release: digestOf('a') });
  });

  it('does not choose a candidate for the rows that it has no valid prediction of', async () => {
    const hollow = { ...fortnight(0.2), candidate: { ...good.candidate, notANumber: 500 } };
    expect(
      await evaluate({ hollow: { selection: hollow, test: hollow }, sound: { selection: good, test: good } }),
    ).toMatchObject({ verdict: 'PASS', release: digestOf('sound') });
    const failed = await evaluate({ hollow: { selection: hollow, test: hollow } });
    expect(failed).toMatchObject({
      verdict: 'FAIL',
      reasons: expect.arrayContaining(['candidate: 500 predictions are not a number']),
    });
    // What nothing can be computed of has not improved by 0.
    expect(failed).not.toHaveProperty('improvement');
  });

  it('offers what would pass provisionally only where staging knows a probation', async () => {
    const [model] = deployed.models;
    if (model === undefined) throw new Error('no model');
    const comparison = { ...model.policy.comparison, provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } };
    const likely = fortnight(0.003);
    const verdictWith = async (probation: object) => {
      const staging = { ...model.policy.transitions.staging, ...probation };
      const policy = { ...model.policy, comparison, transitions: { ...model.policy.transitions, staging } };
      const comparisons = [];
      for (const slice of ['selection', 'test'] as const)
        comparisons.push({ candidate: digestOf('a'), slice, measure: await written(likely) });
      return evaluateCandidates({
        deployed: { ...deployed, models: [{ ...model, policy }] },
        documents: dev.documents,
      })({ model: MODEL, measured: { status: 'measured', comparisons } });
    };
    expect(await verdictWith({ probation: probationRule(14) })).toMatchObject({ verdict: 'PASS' });
    expect(await verdictWith({})).toMatchObject({ verdict: 'INCONCLUSIVE' });
  });

  it('decides nothing where nothing was measured', async () => {
    const measured = { status: 'insufficient', reasons: ['features were refused'], comparisons: [] };
    expect(await evaluateCandidates({ deployed, documents: dev.documents })({ model: MODEL, measured })).toEqual({
      verdict: 'INCONCLUSIVE',
      reasons: ['features were refused'],
    });
  });

  const run = { model: MODEL, run: RUN, asOf: '2001-01-20' };
  it.each([
    ['rejects', rejectCandidates, 'CANDIDATES_REJECTED', 'rejected'],
    ['holds', holdAsInconclusive, 'CANDIDATES_HELD', 'held'],
  ])('%s once, in words that fit a record', async (_, conclude, code, status) => {
    await open();
    const reasons = Array.from({ length: 30 }, () => 'ä'.repeat(900));
    for (let time = 0; time < 2; time += 1) expect(await conclude(dev)({ ...run, reasons })).toMatchObject({ status });
    expect((await dev.codes()).filter((each) => each === code)).toHaveLength(1);
    expect(await runStatus()).toBe(status);
  });

  it('offers what is registered, and nothing else', async () => {
    await open();
    const release = await makeRelease(dev.releases, 'one');
    const offer = { ...run, champion: digestOf('c'), release, measure: digestOf('m'), improvement: 0.02 };
    await expect(offerRelease(dev)(offer)).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
    await registerCandidates(dev)({
      model: MODEL,
      run: RUN,
      candidates: [{ release, window: 'all', fingerprint: digestOf('d'), metrics: {} }],
      baseline: null,
    });
    expect(await offerRelease(dev)(offer)).toMatchObject({ status: 'offered' });
    expect((await dev.chain()).at(-1)).toMatchObject({
      code: 'RELEASE_OFFERED',
      release,
      details: { version: '0.1.0', improvement: 0.02, policy: policyDigest(policy) },
    });
  });
});
