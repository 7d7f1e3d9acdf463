import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Pictures that this project once used for what the field has a word for, and the word; `docs/glossary.md` has the concepts. */
const BANNED: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\blet(?:s|ting)? (?:\w+ ){0,3}in(?=[ .,;:)'’`]|$)/, 'promoted, approved'],
  [/\bta(?:ke|kes|ken|king) (?:\w+ ){0,2}back\b|\btook (?:\w+ ){0,2}back\b/, 'roll back'],
  [/\bheld against\b|\bholds? .* against\b/, 'compare with, check, validate'],
  [/\blearn(?:s|ed|t|ing)? from\b/, 'train on'],
  [/\bputs? .{0,20}before (?:its|the|a) (?:suite|expect)/, 'validate against its expectation suites'],
  [/\bt(?:old|ells?|elling) of\b/, 'alert, notify, report'],
  [
    /\basked (?:for )?by\b|\bnobody was asked\b|\bpolicy asks\b|\bask again\b|\bask for a promotion\b/,
    'request, require',
  ],
  [/\bwish(?:es)?\b/, 'request, vote'],
  [/\bdebts?\b|\bcarriers\b(?! (?:have|report|that))/, 'pending propagation'],
  [/\bstrangers?\b/, 'unknown'],
  [/\bguilty\b|\bblam(?:e|es|ed)\b/, 'attributed'],
  [/\bbusiness\b/, 'isolated, ignored'],
  [/\bspoils?\b|none the worse/, 'fails without affecting others, ignored'],
  [/\bis fed\b|\bsmells\b/, 'inputs, suspected'],
  [/could be as it says/, 'the values contradict each other'],
  [/(?:was|is|are) not believed/, 'failed verification'],
  [/\b(?:overtaken|unwatched)\b/i, 'superseded, skipped'],
];

/** Texts of the project, without what is generated from elsewhere, recorded or somebody else's. */
function texts(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '*.ts', '*.mjs', '*.py', '*.json', '*.md'], { cwd: ROOT });
  return listed
    .toString()
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .filter((path) => !/^(?:package-lock|bench\/results|src\/adapters\/onnx\/generated)|counterexamples\//.test(path))
    .filter((path) => path !== 'test/docs/words.test.ts');
}

/** Where a banned phrase stands, as `file:line: phrase; say ...`. */
function found(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) =>
    BANNED.flatMap(([phrase, instead]) => {
      const [said] = phrase.exec(line) ?? [];
      return said === undefined ? [] : [`${path}:${index + 1}: "${said.trim()}"; say ${instead}`];
    }),
  );
}

describe('the words of the project', () => {
  it('are those of the field, in code, commands, events, refusals, alerts and documents', () => {
    const all = texts();
    expect(all.length).toBeGreaterThan(500);
    expect(all.flatMap((path) => found(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([]);
  });

  it.each([
    'a release that was let in',
    'lets a better candidate in after approval',
    'it takes the release back',
    'what was taken back',
    'compared and held against the champion',
    'rows that it learns from',
    'people are told of it',
    'a signed wish',
    'a promotion that is asked for by a person',
    'is in debt',
  ])('are looked for: %s', (text) => {
    expect(found('x.ts', text)).toHaveLength(1);
  });
});

describe('the glossary', () => {
  const rows = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| term'))
    .map((line) => line.slice(2, -2).split(' | '));

  it('has one name and one sentence for each concept, in the order of the alphabet', () => {
    const terms = rows.map(([term = '']) => term);
    expect(terms.length).toBeGreaterThan(40);
    expect(terms).toEqual([...new Set(terms)].toSorted((a, b) => a.localeCompare(b)));
    for (const row of rows) {
      expect(row, row[0]).toHaveLength(3);
      expect(row[1], row[0]).not.toMatch(/\. [A-Z]/);
    }
  });
});
