import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '#domain/faults.ts';
import { Refusal, RULES } from '#domain/refusal/refusal.ts';
import { ruleRows } from '../../scripts/refusal-docs.ts';
import { anchorsOf, document, ROOT } from './_documents.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const sources = globSync(['{src,cli,lambdas,local}/**/*.ts', 'models/*/*.ts'], { cwd: ROOT })
  .filter((path) => !path.startsWith('src/domain/refusal/') && path !== 'src/domain/faults.ts')
  .map((path) => [path, read(path)] as const);
const words = (text: string): number => text.split(' ').length;

describe('the registry of refusals', () => {
  test.for(Object.entries(RULES))('%s is a name in kebab-case with a short meaning', ([id, rule]) => {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(rule.meaning).toMatch(/^[^A-Z].*[^.]$|^ONNX/);
    expect(words(rule.meaning)).toBeLessThan(20);
    expect(words(rule.remedy ?? '')).toBeLessThan(20);
    if (rule.runbook !== undefined) expect([...anchorsOf(document('docs/runbook.md'))]).toContain(rule.runbook);
  });

  test('has no rule by which nothing refuses', () => {
    const asl = globSync('statemachines/*.asl.json', { cwd: ROOT }).map(read).join('');
    const text = sources.map(([, source]) => source).join('');
    expect(Object.keys(RULES).filter((id) => !text.includes(`'${id}'`) && !asl.includes(`"rule": "${id}"`))).toEqual(
      [],
    );
  });

  test('has the rules of the state machines', () => {
    const literals = globSync('statemachines/*.asl.json', { cwd: ROOT }).flatMap((path) =>
      [...read(path).matchAll(/"refusal": (\{[^}]*\})/g)].map(([, literal = '']): unknown => JSON.parse(literal)),
    );
    expect(literals.length).toBeGreaterThan(0);
    for (const literal of literals) expect(Refusal.parse(literal)).toEqual(literal);
  });

  test('has the rules of every literal, also of those that no type checks', () => {
    const literal = /rule: '([^']+)'(?: as const)?,\s+found\b/g;
    const named = sources.flatMap(([, text]) => [...text.matchAll(literal)].map(([, id = '']) => id));
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((id) => !Object.hasOwn(RULES, id))).toEqual([]);
  });

  test('has the only schema of a refusal', () => {
    const own = /rule: (?:z\.string\(|string)[^}]*(?:found|remedy)/;
    expect(sources.flatMap(([path, text]) => (own.test(text) ? [path] : []))).toEqual(['src/model/consistency.ts']);
  });

  test('refuses to be documented without a test for each rule', () => {
    expect(() => ruleRows(new Map(), new Map())).toThrow(/^no test names promotion-open, promotion-not-aborted, /);
    const tests = Object.keys(RULES).map((id) => `'${id}'`);
    const whole = new Map([['test/all.test.ts', tests.join('\n')]]);
    expect(ruleRows(whole, new Map())[0]).toContain('[all.test.ts](../test/all.test.ts)');
    const without = new Map([['test/all.test.ts', tests.slice(1).join('\n')]]);
    expect(() => ruleRows(without, new Map())).toThrow('no test names promotion-open; write one');
  });

  test('names a test that imports what refuses, before one that does not, and helpers last', () => {
    const all = Object.keys(RULES)
      .map((id) => `'${id}'`)
      .join('\n');
    const tests = new Map([
      ['test/a/_helper.ts', all],
      ['test/a/other.test.ts', all],
      ['test/b/commit.test.ts', `import { commit } from '#domain/promotion/commit.ts';\n${all}`],
    ]);
    const refusing = new Map([['src/domain/promotion/commit.ts', "refuse('promotion-open')"]]);
    const rows = ruleRows(tests, refusing);
    expect([rows[0], rows[1]]).toEqual([
      expect.stringContaining('b/commit.test.ts'),
      expect.stringContaining('a/other.test.ts'),
    ]);
  });
});

describe('the registry of faults', () => {
  test('has the codes that are thrown, and no other', () => {
    const text = sources.map(([, source]) => source).join('');
    expect(Object.keys(FAULTS).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });

  test.for(Object.entries(FAULTS))('%s has a short meaning', ([code, { meaning }]) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(words(meaning)).toBeLessThan(20);
  });
});
