import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '#cli/catalogue/index.ts';

import { blocksOf, document, documents, spansOf } from './_documents.ts';

/** The options that every command understands, as `cli/program.ts` declares them. */
const GLOBAL = [
  '-o, --output <format>',
  '--env <environment>',
  '--profile <name>',
  '--models <folder>',
  '--no-wait',
  '--yes',
  '--help',
];
const COMMAND = /^(?:[A-Z_]+=\S+ )*(?:npm run gatehouse -- |gatehouse )(?<words>.*)$/s;

interface Typed {
  readonly line: string;
  readonly words: string;
  /** In prose a command's name alone is a mention of it, not something to type. */
  readonly isProse: boolean;
}

function typedIn(text: string): readonly Typed[] {
  const blocks = blocksOf({ text }).filter(({ info }) => info === 'sh');
  const lines = blocks.flatMap((block) => block.text.replaceAll('\\\n', ' ').split('\n'));
  const found = (line: string, isProse: boolean): readonly Typed[] => {
    const words = COMMAND.exec(line.trim().replace(/\s+#\s.*$/, ''))?.groups?.['words'];
    return words === undefined || /^(<command>|\.\.\.)$/.test(words) ? [] : [{ line, words, isProse }];
  };
  return [...lines.flatMap((line) => found(line, false)), ...spansOf({ text }).flatMap((span) => found(span, true))];
}

/** Why a command line would not be understood, by the catalogue; undefined when it would. */
function whyNot({ words: text, isProse }: Pick<Typed, 'words' | 'isProse'>): string | undefined {
  // What is in quotes is one word.
  const words = [...text.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word);
  const spec = CATALOGUE.filter(({ name }) => `${words.join(' ')} `.startsWith(`${name} `)).toSorted(
    (a, b) => b.name.length - a.name.length,
  )[0];
  if (spec === undefined) return `no command ${words.slice(0, 2).join(' ')}`;
  const flags = [...(spec.options ?? []), ...(spec.required ?? [])].map(([flag]) => flag);
  const rest = words.slice(spec.name.split(' ').length);
  const given: string[] = [];
  const positional: string[] = [];
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    if (!word.startsWith('-')) {
      positional.push(word);
      continue;
    }
    const flag = [...flags, ...GLOBAL].find((each) => each.split(/[ ,]+/).includes(word));
    if (flag === undefined) return `${spec.name} has no option ${word}`;
    given.push(flag);
    if (
      flag.startsWith('--env') &&
      !/^[A-Z]+$/.test(rest[index + 1] ?? '') &&
      !ENVIRONMENTS.some((each) => each === rest[index + 1])
    ) {
      return `${rest[index + 1] ?? 'nothing'} is no environment`;
    }
    if (!flag.includes('<')) continue;
    if (index + 1 >= rest.length) return `${word} has no value`;
    index += 1;
    while (flag.includes('...') && index + 1 < rest.length && rest[index + 1]?.startsWith('-') === false) index += 1;
  }
  if (isProse && rest.length === 0) return undefined;
  const declared = (spec.args ?? '').split(' ').filter((each) => each !== '');
  const needed = declared.filter((each) => each.startsWith('<')).length;
  const most = declared.some((each) => each.includes('...')) ? Infinity : declared.length;
  if (positional.length < needed || positional.length > most)
    return `${spec.name} takes ${spec.args ?? 'no arguments'}, not ${positional.join(' ')}`;
  const missing = (spec.required ?? []).find(([flag]) => !given.includes(flag));
  return missing === undefined ? undefined : `${spec.name} needs ${missing[0]}`;
}

describe('command lines', () => {
  test.for(documents().filter(({ text }) => typedIn(text).length > 0))(
    '$path types what the command line understands',
    ({ text }) => {
      const wrong = typedIn(text).flatMap((typed) => {
        const why = whyNot(typed);
        return why === undefined ? [] : [`${typed.line}: ${why}`];
      });
      expect(wrong).toEqual([]);
    },
  );

  test('the README, the runbook and the catalogue type commands', () => {
    for (const path of ['README.md', 'docs/runbook.md', 'docs/commands.md'])
      expect(typedIn(document(path).text).length, path).toBeGreaterThan(10);
  });

  test.for([
    ['prmote flight-delay', 'no command prmote flight-delay'],
    ['promote flight-delay@1.0.0', 'promote needs --to <environment>'],
    ['promote --to prod', 'promote takes <release>, not '],
    ['status --all', 'status has no option --all'],
    ['fsck a b', 'fsck takes [model], not a b'],
    ['history flight-delay --env live', 'live is no environment'],
  ])('"%s" is found wrong', ([words = '', why]) => {
    expect(whyNot({ words, isProse: false })).toBe(why);
  });
});

test('each npm script that is named is there', () => {
  const scripts = Object.keys((JSON.parse(document('package.json').text) as { scripts: object }).scripts);
  const named = documents().flatMap(({ text }) =>
    [...text.matchAll(/\bnpm run ([a-z]+)\b/g)].map(([, name = '']) => name),
  );
  expect([...new Set(named)].filter((name) => !scripts.includes(name))).toEqual([]);
});
