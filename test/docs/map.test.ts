import { ENVIRONMENTS, MACHINES } from '#domain/environment/environment.ts';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

import { parseMachine } from '../../scripts/machine-docs.ts';
import { document, ROOT } from './_documents.ts';

/** Folders whose own folders each need a line; of all others the folder itself is enough. */
const OPENED =
  /^(\.ci|bin|governance|models|statemachines|containers|scripts|docs|(src|src\/(domain|use-cases|adapters)|lambdas|lib|cli|local|bench|test)\/[^/]+)$/;

const paths = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
const folders = new Set(
  paths.flatMap((path) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  }),
);

/** What is wrong with a map of folders: those that have no line, those that have two, and lines without a folder. */
function wrongLines(text: string, existing: ReadonlySet<string>): readonly string[] {
  const lines = [...text.matchAll(/^- `([^`]+)`: \S/gm)].map(([, folder = '']) => folder);
  return [
    ...[...existing]
      .filter((folder) => OPENED.test(folder) && !lines.includes(folder))
      .map((each) => `no line: ${each}`),
    ...lines.filter((folder) => !existing.has(folder)).map((each) => `no folder: ${each}`),
    ...lines.filter((folder, index) => lines.indexOf(folder) !== index).map((each) => `twice: ${each}`),
  ];
}

/** What the table of `statemachines/README.md` says of each machine: where it runs and how it may end. */
function machineTable(text: string): Readonly<Record<string, string>> {
  const rows = text.matchAll(/^\| `([a-z-]+)` \| ([a-z, ]+) \| .+ \| ([A-Za-z, ]+) \|$/gm);
  return Object.fromEntries([...rows].map(([, name = '', where = '', endings = '']) => [name, `${where}: ${endings}`]));
}

/** The endings of a machine that are no fault. */
function endingsOf(name: string): string {
  const { States: states } = parseMachine(document(`statemachines/${name}.asl.json`).text);
  return Object.keys(states)
    .filter((state) => states[state]?.Type === 'Succeed')
    .join(', ');
}

describe('the map of folders', () => {
  test('has one line for each folder', () => {
    const [, part = ''] = document('CONTRIBUTING.md').text.split('## Every folder\n');
    const [map = ''] = part.split('\n## ');
    expect(folders.size).toBeGreaterThan(80);
    expect(wrongLines(map, folders)).toEqual([]);
  });

  test('what is missing, gone or there twice is found', () => {
    expect(
      wrongLines('- `bin`: a\n- `bin`: b\n- `src/old`: c\n', new Set(['bin', 'src', 'src/new', 'docs/adr'])),
    ).toEqual(['no line: src/new', 'no folder: src/old', 'twice: bin']);
  });
});

test('each state machine has its line: where it runs, and its endings', () => {
  const names = new Set(Object.values(MACHINES).flat());
  const expected = [...names].map((name) => {
    const environments = ENVIRONMENTS.filter((each) => MACHINES[each].some((machine) => machine === name));
    return [name, `${environments.join(', ')}: ${endingsOf(name)}`];
  });
  expect(machineTable(document('statemachines/README.md').text)).toEqual(Object.fromEntries(expected));
});
