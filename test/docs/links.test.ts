import { existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsOf, blocksOf, document, documents, proseOf, ROOT } from './_documents.ts';

/** What is wrong with a document's links within the repository. */
function brokenLinks(path: string, text: string): readonly string[] {
  const targets = [...proseOf({ text }).matchAll(/\]\((?<target>[^)\s]+)\)/g)].map(
    ({ groups }) => groups?.['target'] ?? '',
  );
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .flatMap((target) => {
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? path : normalize(join(path, '..', file));
      if (!existsSync(join(ROOT, found))) return [`${path}: ${target} is not there`];
      if (anchor === undefined) return [];
      return anchorsOf(document(found)).has(anchor) ? [] : [`${path}: ${target}: no such heading`];
    });
}

describe('links', () => {
  test.for(documents())('$path leads to what is there', ({ path, text }) => {
    expect(brokenLinks(path, text)).toEqual([]);
  });

  test('a missing file and a missing heading are found', () => {
    const text = '# A\n[a](#a) [b](#b) [c](nowhere.md) [d](docs/runbook.md#nothing)\n';
    expect(brokenLinks('README.md', text)).toEqual([
      'README.md: #a: no such heading',
      'README.md: #b: no such heading',
      'README.md: nowhere.md is not there',
      'README.md: docs/runbook.md#nothing: no such heading',
    ]);
  });
});

describe('excerpts', () => {
  const excerpts = documents().flatMap(({ path, text }) =>
    blocksOf({ text }).flatMap((block) => {
      const file = /(?:^|\s)file=(?<file>\S+)/.exec(block.info)?.groups?.['file'];
      return file === undefined ? [] : [{ path, file, text: block.text }];
    }),
  );

  test('the README shows the reference model', () => {
    expect(excerpts.map(({ path, file }) => `${path} ${file}`)).toContain('README.md models/flight-delay/model.ts');
  });

  test.for(excerpts)('$path shows $file as it is', ({ file, text }) => {
    expect(text).toBe(document(file).text);
  });
});
