import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { canonicalJson } from '#domain/canonical/digest.ts';
import { ExpectationSuite } from '#domain/data/data-check.ts';
import { GatehouseError } from '#domain/error.ts';
import { issueMessages, issueText, nearestOf, unknownKeyText } from '#domain/issues.ts';
import { DataKind } from '#domain/policy/policy.ts';
import { EXPECTATIONS, GREAT_EXPECTATIONS, type Kwarg } from './generated/expectations.ts';

type Path = readonly PropertyKey[];

/** What is wrong at a place in a suite. */
interface SuiteProblem {
  readonly path: Path;
  readonly found: string;
}

/**
 * The suites of a model's `expectations/`, as canonical JSON: each expectation is one that Great Expectations has, with
 * arguments that it takes. @throws GatehouseError `BAD_DOCUMENT` with a line for each problem, by file and line
 */
export function compileExpectations(home: string): Partial<Record<DataKind, string>> {
  const folder = join(home, 'expectations');
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const label = (file: string): string => `models/${basename(home)}/expectations/${file}`;
  const suites: Partial<Record<DataKind, string>> = {};
  const problems = files
    .filter((file) => !SUITE_FILES.includes(file) && file.endsWith('.json'))
    .map((file) => {
      const nearest = nearestOf(file, SUITE_FILES);
      return `${label(file)}: no suite of this name is read; ${nearest === undefined ? `there are: ${SUITE_FILES.join(', ')}` : `did you mean ${nearest}?`}`;
    });
  for (const kind of DataKind.options.filter((each) => files.includes(`${each}.json`))) {
    const read = readSuite(readFileSync(join(folder, `${kind}.json`), 'utf8'));
    if ('suite' in read) suites[kind] = canonicalJson(read.suite);
    else problems.push(...read.problems.map(({ line, found }) => `${label(`${kind}.json`)}:${line}: ${found}`));
  }
  if (problems.length > 0) throw new GatehouseError('BAD_DOCUMENT', problems.join('\n'), { problems });
  return suites;
}

const SUITE_FILES = DataKind.options.map((kind) => `${kind}.json`);

type Read =
  | { readonly suite: ExpectationSuite }
  | { readonly problems: readonly { readonly line: number; readonly found: string }[] };

/** A suite, or what is wrong with its text, by lines. */
export function readSuite(text: string): Read {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const line = Number(/\(line (\d+) column/.exec(message)?.[1] ?? text.trimEnd().split('\n').length);
    return { problems: [{ line, found: `no JSON: ${message}` }] };
  }
  const lines = new LineCounter();
  // JSON is YAML, whose parser knows where each value stands, and does not take the last of two keys for the only one.
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined)
    return { problems: [{ line: lines.linePos(broken.pos[0]).line, found: broken.message.split('\n')[0] ?? '' }] };
  const lineOf = (path: Path): number => {
    const node = document.getIn(path, true) as { readonly range?: readonly number[] } | undefined;
    const at = node?.range?.[0];
    return at === undefined ? (path.length === 0 ? 1 : lineOf(path.slice(0, -1))) : lines.linePos(at).line;
  };
  const parsed = ExpectationSuite.safeParse(raw, { error: issueMessages });
  const problems = parsed.success
    ? problemsOf(parsed.data)
    : parsed.error.issues.map((issue) => ({
        path: issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path,
        found: `${issue.path.join('.') || '(root)'}: ${issueText(issue)}`,
      }));
  if (parsed.success && problems.length === 0) return { suite: parsed.data };
  return { problems: problems.map(({ path, found }) => ({ line: lineOf(path), found })) };
}

/** Which expectations Great Expectations would not read, or could never evaluate as they stand. */
function problemsOf({ expectations }: ExpectationSuite): readonly SuiteProblem[] {
  return expectations.flatMap(({ type, kwargs }, index): SuiteProblem[] => {
    const known = EXPECTATIONS[type];
    const at = ['expectations', index];
    if (known === undefined) {
      const nearest = nearestOf(type, Object.keys(EXPECTATIONS));
      const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      return [{ path: [...at, 'type'], found: `Great Expectations ${GREAT_EXPECTATIONS} has no ${type}${meant}` }];
    }
    if (!known.pandas && !RUN_ALL_THE_SAME.has(type))
      return [{ path: [...at, 'type'], found: `${type} does not run on pandas, which data is validated by` }];
    const missing = Object.entries(known.kwargs).filter(([key, { required }]) => required && !(key in kwargs));
    return [
      ...missing.map(([key]) => ({
        path: [...at, 'kwargs'],
        found: `${type}: kwargs has no ${key}, which is required`,
      })),
      ...Object.entries(kwargs).flatMap(([key, value]) => {
        const kwarg = known.kwargs[key];
        const path = [...at, 'kwargs', key];
        if (kwarg === undefined)
          return [{ path, found: `${type}: kwargs: ${unknownKeyText(key, Object.keys(known.kwargs))}` }];
        if (isTaken(value, kwarg) || (key === 'row_condition' && isCondition(value))) return [];
        return [
          { path, found: `${type}: ${key} is ${JSON.stringify(value).slice(0, 100)}; it takes ${inWords(kwarg)}` },
        ];
      }),
    ];
  });
}

/** Of these the package does not list pandas, and evaluates them on it. */
const RUN_ALL_THE_SAME: ReadonlySet<string> = new Set(['expect_column_values_to_be_in_type_list']);

/** A condition as the package itself writes it into a suite, also one that was given as text. */
function isCondition(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isTaken(value: unknown, { takes, oneOf = [] }: Kwarg): boolean {
  if (takes.length + oneOf.length === 0) return true;
  return takes.includes(kindOf(value)) || (typeof value === 'string' && oneOf.includes(value));
}

/** The kind of a value, as `generate.py` asked of each field whether it takes it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return value >= 0 && value <= 1 ? 'fraction' : 'number';
  if (typeof value === 'string')
    return /^-?\d+(\.\d+)?$/.test(value) ? 'numeral' : /^\d{4}-\d{2}-\d{2}/.test(value) ? 'date' : 'text';
  if (!Array.isArray(value)) return 'object';
  if (value.length === 0) return 'empty';
  if (value.every((each) => typeof each === 'string')) return 'texts';
  if (value.every((each) => typeof each === 'number')) return 'numbers';
  return value.every((each) => Array.isArray(each) && each.length === 2) ? 'pairs' : 'mixed';
}

const WORDS: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  fraction: 'a number from 0 to 1',
  number: 'a number',
  text: 'a text',
  date: 'a date',
  texts: 'a list of texts',
  numbers: 'a list of numbers',
  pairs: 'a list of pairs',
};

/** What an argument takes. What is taken only because a list of pairs is a mapping to Python is not said. */
function inWords({ takes, oneOf = [] }: Kwarg): string {
  const lists = takes.includes('texts') || takes.includes('numbers');
  const said = Object.keys(WORDS).filter(
    (kind) =>
      takes.includes(kind) &&
      !(kind === 'fraction' && takes.includes('number')) &&
      !(kind === 'boolean' && takes.includes('fraction')) &&
      !(kind === 'date' && takes.includes('text')) &&
      !(kind === 'pairs' && (lists || takes.includes('object'))),
  );
  return [...oneOf, ...said.map((kind) => WORDS[kind])].join(' or ');
}
