// The part of the documentation that the registries of refusals and faults say: `docs/refusals.md`.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from '#domain/faults.ts';
import { RULES, type RuleId } from '#domain/refusal/refusal.ts';

const ROOT = join(import.meta.dirname, '..');

/** Files by their paths from the root, with what they say. */
type Files = ReadonlyMap<string, string>;

/** The page of refusals and faults. @throws Error naming each rule that no test names */
export function refusalsPage(notice: string): string {
  const faults = Object.entries(FAULTS).map(
    ([code, { meaning, retry }]) => `| \`${code}\` | ${meaning} | ${retry ? 'yes' : 'no'} |`,
  );
  return `# Refusals and faults

${notice}

A refusal says that a rule is not met: \`<rule>: <what was found>; <what to do>\`. It is a value: chains and stored documents name its rule, the command
line ends with code 1, the API of control answers with the status. A fault says that something failed; the command line ends with code 3. Rules and
codes are never renamed.

## Refusals

Where no remedy is named, the refusal itself says what to do. The test is one that expects the refusal.

| rule | what must hold | status | remedy | test |
|---|---|---|---|---|
${ruleRows(filesOf('test/**/*.ts'), filesOf('{src,cli,lambdas}/**/*.ts')).join('\n')}

## Faults

What may be retried may succeed later by the same call, without anybody changing anything. State machines and reconcilers retry every fault a few times.

| code | what happened | may be retried |
|---|---|---|
${faults.join('\n')}
`;
}

/** A row for each rule, in the order of the registry. @throws Error naming each rule that no test names */
export function ruleRows(tests: Files, sources: Files): readonly string[] {
  const ids = Object.keys(RULES) as RuleId[];
  const found = ids.map((id) => [id, testOf(id, tests, sources)] as const);
  const untested = found.flatMap(([id, test]) => (test === undefined ? [id] : []));
  if (untested.length > 0) throw new Error(`no test names ${untested.join(', ')}; write one that expects the refusal`);
  return found.map(([id, test = '']) => {
    const { meaning, status, runbook, remedy } = RULES[id];
    const help = [remedy, runbook && `[runbook](runbook.md#${runbook})`]
      .filter((part) => part !== undefined)
      .join('; ');
    return `| \`${id}\` | ${meaning} | ${status} | ${help} | [${test.slice('test/'.length)}](../${test}) |`;
  });
}

/** The test that names a rule, in a text that is its id or begins with it: rather one that imports what refuses by it. */
function testOf(id: RuleId, tests: Files, sources: Files): string | undefined {
  const named = new RegExp(`(?:['"\`/]|refused by )${id}(?:['"\`]|: )`);
  const refusing = [...sources].flatMap(([path, text]) =>
    text.includes(`'${id}'`) ? [path.replace(/^src\//, '')] : [],
  );
  const rank = ([path, text]: readonly [string, string]): number =>
    (path.endsWith('.test.ts') ? 0 : 4) +
    (refusing.some((source) => text.includes(`${source}'`)) ? 0 : 2) +
    (path.startsWith('test/journeys/') ? 1 : 0);
  const naming = [...tests].filter(([, text]) => named.test(text));
  return naming.toSorted((a, b) => rank(a) - rank(b) || (a[0] < b[0] ? -1 : 1))[0]?.[0];
}

function filesOf(pattern: string): Files {
  const paths = globSync(pattern, { cwd: ROOT }).filter((path) => !path.startsWith('src/domain/refusal/'));
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}
