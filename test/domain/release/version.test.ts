import * as fc from 'fast-check';
import { gt, major, minor } from 'semver';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import {
  comparedWith,
  nextVersion,
  type Registration,
  registrationWrites,
  type Released,
} from '#domain/release/registration.ts';
import type { SourceChange } from '#domain/release/source-change.ts';

/** What a release is made by: `a1x` has the schemas a, the recipe 1 and the sources x (which are those of `a1`). */
const made = (by: string) => {
  const [schema = '', recipe = '', sources = 'x'] = by;
  return {
    recipe: digestOf(`recipe ${schema} ${recipe}`),
    schemas: { input: digestOf(`input ${schema}`), output: digestOf('output') },
    sources: digestOf(sources),
  };
};
const given = (version: string, by: string) => ({ version, ...made(by) });
/** Sources later in the alphabet read all that earlier ones do, and not the other way round. */
function changeBetween(before: string, after: string): SourceChange | undefined {
  const [from = 'x', to = 'x'] = [before[2], after[2]];
  return from === to ? undefined : { level: from < to ? 'minor' : 'major', reason: `${to}, was ${from}` };
}
const registration: Registration = {
  formatVersion: 1,
  model: 'm',
  release: digestOf('new'),
  kind: 'trained',
  reason: 'r',
  owner: 'o',
  creator: 'c',
  at: '2026-03-02T09:00:00.000Z',
  run: 'run',
  window: 'w',
  metrics: {},
  parent: null,
  ...given('1.2.4', 'a1'),
};
const released: Released = {
  environment: 'prod',
  release: registration.release,
  version: '1.2.4',
  seq: 7,
  record: digestOf('record'),
};

describe('a version', () => {
  const prod = given('1.2.0', 'a1');
  it.each([
    ['other data', 'a1', [], '1.2.1', 'against 1.2.0: the same recipe on other data'],
    ['another recipe', 'a2', [], '1.3.0', 'against 1.2.0: features, algorithm, windows or code changed'],
    ['another input schema', 'b1', [], '2.0.0', 'against 1.2.0: the input schema changed'],
    ['other data, when the number is taken', 'a1', [given('1.2.1', 'a1')], '1.2.2', undefined],
    ['other data, after tries at other levels', 'a1', [given('1.3.0', 'a2'), given('2.0.0', 'b1')], '1.2.1', undefined],
    ['another recipe, when the number is another one’s', 'a3', [given('1.3.0', 'a2')], '1.4.0', undefined],
    ['the recipe of a rejected try', 'a2', [given('1.3.0', 'a2'), given('1.4.0', 'a3')], '1.3.1', undefined],
    ['another recipe, after a rejected breaking change', 'a2', [given('2.0.0', 'b1')], '1.3.0', undefined],
    ['a breaking change, when the number is another one’s', 'c1', [given('2.0.0', 'b1')], '3.0.0', undefined],
    [
      'the schemas and recipe of a rejected try',
      'b1',
      [given('2.0.0', 'b1'), given('3.0.0', 'c1')],
      '2.0.1',
      undefined,
    ],
    ['the schemas of a rejected try, by another recipe', 'b2', [given('2.0.0', 'b1')], '2.1.0', undefined],
    ['sources that still read each day', 'a1y', [], '1.3.0', 'against 1.2.0: y, was x'],
    ['both', 'a2y', [], '1.3.0', 'against 1.2.0: features, algorithm, windows or code changed; y, was x'],
    ['sources that do not', 'a2w', [], '2.0.0', 'against 1.2.0: w, was x'],
    ['the sources of a rejected try', 'a1y', [given('1.3.0', 'a1y'), given('1.4.0', 'a1z')], '1.3.1', undefined],
    ['the schemas of a rejected try, from other sources', 'b1y', [given('2.0.0', 'b1')], '3.0.0', undefined],
    ['the schemas of before', 'z1', [given('1.0.0', 'z1'), given('0.1.0', 'z1')], '2.0.0', undefined],
  ])('is computed against what is released for %s', (_, by, others, version, reason) => {
    const found = nextVersion(prod, [prod, ...others], made(by), changeBetween('a1', by));
    expect(found.version).toBe(version);
    if (reason !== undefined) expect(found.reason).toBe(reason);
  });

  it('says which schema is another, and takes what a registration does not say for another', () => {
    const output = { ...made('a1'), schemas: { ...made('a1').schemas, output: digestOf('other') } };
    expect(nextVersion(prod, [prod], output)).toEqual({
      version: '2.0.0',
      reason: 'against 1.2.0: the output schema changed',
    });
    expect(nextVersion({ version: '1.2.0' }, [{ version: '1.2.0' }], made('a1')).version).toBe('2.0.0');
    // Whatever is trained begins at 1.0.0: what went before was the constant that any model has to beat.
    const baseline = given('0.1.0', 'a1');
    const only = 'against 0.1.0: only the baseline is released';
    expect(nextVersion(baseline, [baseline], made('a2'))).toEqual({ version: '1.0.0', reason: only });
    expect(nextVersion(baseline, [baseline, given('1.0.0', 'a2')], made('a2')).version).toBe('1.0.1');
    expect(nextVersion(baseline, [baseline, given('1.0.0', 'a2')], made('a3')).version).toBe('1.1.0');
    expect(nextVersion(undefined, [], made('a1'))).toEqual({
      version: '0.1.0',
      reason: 'first registration of the model',
    });
  });

  it('is compared in the order of numbers, not of texts', () => {
    const others = Array.from({ length: 12 }, (_, patch) => given(`1.2.${patch}`, 'a1'));
    expect(nextVersion(prod, others, made('a1')).version).toBe('1.2.12');
  });

  it('is never given twice, and says the truth about every other one, whatever was released or rolled back', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('a1', 'a2', 'a1y', 'a2y', 'a1w', 'b1', 'b2', 'b1y', 'c1') },
      { weight: 1, arbitrary: fc.nat(30) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const all: (ReturnType<typeof given> & { readonly by: string })[] = [];
        let base: (typeof all)[number] | undefined;
        for (const next of steps) {
          if (typeof next === 'number') {
            base = all[next % Math.max(1, all.length)] ?? base;
            continue;
          }
          const against = base ?? all[0];
          const change = against && changeBetween(against.by, next);
          const { version } = nextVersion(against, all, made(next), change);
          expect(all.map((other) => other.version)).not.toContain(version);
          const own = { ...given(version, next), by: next };
          if (against !== undefined) {
            expect(gt(version, against.version)).toBe(true);
            const isFirst = against.version === '0.1.0';
            const isBreaking = isFirst || own.schemas.input !== against.schemas.input || change?.level === 'major';
            expect(major(version) !== major(against.version)).toBe(isBreaking);
            const isOfLine = major(version) === major(against.version) && minor(version) === minor(against.version);
            expect(isOfLine).toBe(!isFirst && own.recipe === against.recipe && change === undefined);
          }
          for (const other of all) {
            if (major(other.version) !== major(version)) continue;
            expect(other.schemas).toEqual(own.schemas);
            if (minor(other.version) === minor(version))
              expect([other.recipe, other.sources]).toEqual([own.recipe, own.sources]);
          }
          all.push(own);
        }
      }),
    );
  });

  it('is computed against the first registration until something is released, and against the version alone of one that is not registered', () => {
    const first = { ...registration, release: digestOf('first'), version: '0.1.0' };
    expect(comparedWith([registration, first], undefined)).toBe(first);
    expect(comparedWith([registration, first], released)).toBe(registration);
    expect(comparedWith([], undefined)).toBeUndefined();
    const unknown = comparedWith([first], released);
    expect(unknown).toMatchObject({ release: released.release, version: released.version });
    expect(nextVersion(unknown, [first], made('another'))).toEqual({
      version: `${major(released.version) + 1}.0.0`,
      reason: `against ${released.version}: what is released is not registered here`,
    });
  });

  it('is given once, to a digest that is registered once, while that is released which it was computed against', () => {
    expect(registrationWrites(released, registration).map(({ condition }) => condition)).toEqual([
      { kind: 'absent' },
      { kind: 'absent' },
      { kind: 'equals', values: { seq: 7 } },
    ]);
    expect(registrationWrites(undefined, registration)[2]?.condition).toEqual({ kind: 'absent' });
  });
});
