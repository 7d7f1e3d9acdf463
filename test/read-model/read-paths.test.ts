// A ledger is read in one room: a second path to the same items would be mended, or not, by itself.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const ROOMS = 'src,lambdas,cli,local,bench,scripts,lib,bin';

/** The rooms that read a ledger for all others. */
const READERS = [
  /** The port's implementations, and the wrappers that inject faults. */
  'src/adapters/',
  'src/read-model/',
];

/** What reads one all the same, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'cli/cloud.ts': 'it is a ledger itself: the adapter, with the refusal of an environment that is not deployed',
  'src/serving/circuits.ts': 'it is a ledger itself: the host’s, behind a circuit',
};

/** What parses items that it is given, and reads no ledger: the domain has none. */
const PARSERS = ['src/domain/'];

/** By whatever name the ledger goes; a request's `query` is another matter. */
const READING = /(?<!\breq)\.(?:query|getMany)\(|ledger\??\.get\(|\.get\(keys\./i;
const PARSING = /\bwithoutKey\b/;

/** The lines that read a ledger, or parse its items, outside of the rooms that may. */
function secondPaths(path: string, text: string): readonly string[] {
  if (READERS.some((room) => path.startsWith(room)) || path in EXCEPTIONS) return [];
  const mayParse = PARSERS.some((room) => path.startsWith(room));
  return text
    .split('\n')
    .flatMap((line, index) =>
      READING.test(line) || (!mayParse && PARSING.test(line)) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
    );
}

describe('read paths of the ledger', () => {
  test('there is no second one', () => {
    const paths = globSync(`{${ROOMS}}/**/*.{ts,mjs}`, { exclude: ['**/node_modules/**'] });
    expect(paths.length).toBeGreaterThan(500);
    expect(paths.flatMap((path) => secondPaths(path, readFileSync(path, 'utf8')))).toEqual([]);
  });

  test('each exception is one', () => {
    for (const path of Object.keys(EXCEPTIONS)) expect(readFileSync(path, 'utf8')).toMatch(READING);
  });

  test('a second path is found', () => {
    const found = (line: string, path = 'src/use-cases/a.ts') => secondPaths(path, `\n  ${line}`);
    expect(found('const items = await deps.ledger.query(keys.runs(model));')).toHaveLength(1);
    expect(found('ledger.getMany([keys.pointer(model)]),')).toHaveLength(1);
    expect(found('await cloud.ledger.get(keys.run(model, run))', 'cli/commands/a.ts')).toHaveLength(1);
    expect(found('await dev.query(`VERSION#${name}`, { limit: 1 })', 'cli/commands/a.ts')).toHaveLength(1);
    expect(found("context.req.query('model')", 'lambdas/a/api.ts')).toEqual([]);
    expect(found('catalogue.query(keys.partitions(model, kind)),', 'local/a.ts')).toHaveLength(1);
    expect(found("import { withoutKey } from '#domain/ledger/item.ts';")).toEqual([
      "src/use-cases/a.ts:2: import { withoutKey } from '#domain/ledger/item.ts';",
    ]);
    expect(found('return withoutKey(Approval, item);', 'src/domain/a.ts')).toEqual([]);
    expect(found('await ledger.transact(writes, token);')).toEqual([]);
  });
});
