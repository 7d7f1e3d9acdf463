import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { document, ROOT } from './_documents.ts';

const RECORDS = globSync('docs/adr/0*.md', { cwd: ROOT }).toSorted();
const README = document('docs/adr/README.md').text;

/** What is wrong with the first three lines of a decision record: title with its number, blank line, status. */
function wrongHead(path: string, text: string): readonly string[] {
  const [title = '', blank, status = ''] = text.split('\n');
  const number = Number(basename(path).slice(0, 4));
  return [
    ...(title.startsWith(`# ${number}. `) && blank === '' ? [] : [`${path}: the title is not "# ${number}. ..."`]),
    ...(/^Status: (accepted|superseded), \d{4}-\d\d-\d\d(; \S.*)?$/.test(status)
      ? []
      : [`${path}: "${status}" is not "Status: accepted, YYYY-MM-DD"`]),
  ];
}

/** The numbers below the highest that have no record. */
function gapsOf(numbers: readonly number[]): readonly number[] {
  const highest = Math.max(...numbers);
  return Array.from({ length: highest }, (_, index) => index + 1).filter((number) => !numbers.includes(number));
}

describe('decision records', () => {
  test('each begins with its number and its status', () => {
    expect(RECORDS.length).toBeGreaterThan(30);
    expect(RECORDS.flatMap((path) => wrongHead(path, document(path).text))).toEqual([]);
  });

  test('each is in the list, under its number', () => {
    const missing = RECORDS.filter((path) => !README.includes(`](${basename(path)})`));
    expect(missing).toEqual([]);
    const listed = [...README.matchAll(/^(\d+)\. \[.+\]\((\d{4})-/gm)].map(([, shown, file]) => [shown, Number(file)]);
    expect(listed.filter(([shown, file]) => Number(shown) !== file)).toEqual([]);
  });

  test('the list explains each number that is not taken, and no other', () => {
    const [, said = ''] = /^No record has the numbers ([\d, and]+):/m.exec(README) ?? [];
    const explained = [...said.matchAll(/\d+/g)].map(([number]) => Number(number));
    expect(explained).toEqual(gapsOf(RECORDS.map((path) => Number(basename(path).slice(0, 4)))));
  });

  test('other formats and gaps are found', () => {
    expect(wrongHead('docs/adr/0007-x.md', '# 7. X\n\n**Status:** accepted\n')).toEqual([
      'docs/adr/0007-x.md: "**Status:** accepted" is not "Status: accepted, YYYY-MM-DD"',
    ]);
    expect(wrongHead('docs/adr/0007-x.md', '# 8. X\n\nStatus: accepted, 2026-11-21; extends 3\n')).toEqual([
      'docs/adr/0007-x.md: the title is not "# 7. ..."',
    ]);
    expect(gapsOf([1, 2, 4])).toEqual([3]);
  });
});
