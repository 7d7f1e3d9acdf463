import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { document, ROOT } from './_documents.ts';

/** Everything that may stand in the root of the repository. A stray file there is one that somebody wrote by mistake. */
const ALLOWED = `
  .ci .github .gitignore .npmrc .nvmrc .oxfmtrc.json .oxlintrc.json
  CHANGELOG.md CONTRIBUTING.md LICENSE README.md SECURITY.md
  bench bin cli containers docs governance lambdas lib local models scripts src statemachines test
  cdk.json gatehouse.config.ts knip.json package-lock.json package.json requirements.txt ruff.toml tsconfig.json vitest.config.ts
`;

test('the root holds what is listed here and nothing else', () => {
  const paths = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const found = new Set(paths.flatMap((path) => (path === '' ? [] : (path.split('/')[0] ?? []))));
  expect([...found].toSorted()).toEqual(ALLOWED.trim().split(/\s+/).toSorted());
});

test('.nvmrc names the Node.js that the lockfile installs', () => {
  const { optionalDependencies } = JSON.parse(document('package.json').text) as {
    optionalDependencies: Record<string, string>;
  };
  const versions = Object.entries(optionalDependencies).flatMap(([name, version]) =>
    name.startsWith('node-') ? version : [],
  );
  expect(new Set(versions)).toEqual(new Set([document('.nvmrc').text.trim()]));
});

test('the changelog begins with what is not released', () => {
  const headings = [...document('CHANGELOG.md').text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(headings[0]).toBe('[Unreleased]');
  expect(headings.slice(1).filter((heading) => !/^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/.test(heading ?? ''))).toEqual(
    [],
  );
});
