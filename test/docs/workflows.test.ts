import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { AttestedGate } from '#domain/attestation/attestation.ts';
import { ROOT } from './_documents.ts';

const FOLDER = join(ROOT, '.github', 'workflows');

const Permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const Step = z.strictObject({
  name: z.string(),
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  run: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  'continue-on-error': z.boolean().optional(),
});
const Workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: Permissions,
  jobs: z.record(
    z.string(),
    z.strictObject({
      name: z.string(),
      needs: z.string().optional(),
      if: z.string().optional(),
      'runs-on': z.string(),
      'timeout-minutes': z.int().positive(),
      permissions: Permissions,
      env: z.record(z.string(), z.string()).optional(),
      steps: z.array(Step).min(1),
    }),
  ),
});
type Workflow = z.infer<typeof Workflow>;

/** What is wrong with a workflow, whatever it is for. */
function faultsOf({ on, permissions, jobs }: Workflow): readonly string[] {
  const steps = Object.entries(jobs).flatMap(([job, { steps }]) => steps.map((step) => [job, step] as const));
  return [
    ...(Object.keys(permissions).length > 0 ? ['permissions for every job'] : []),
    ...Object.keys(on).filter((event) => event === 'pull_request_target' || event === 'workflow_run'),
    ...steps.flatMap(([job, { name, uses, run, with: inputs }]) => [
      ...(uses !== undefined && !/^[\w-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses) ? [`${job}, ${name}: not pinned`] : []),
      ...(uses?.startsWith('actions/checkout@') === true && inputs?.['persist-credentials'] !== false
        ? [`${job}, ${name}: keeps credentials`]
        : []),
      // What an expression inserts is run as if it stood there; a variable is not.
      ...(run?.includes('${{') === true ? [`${job}, ${name}: an expression in run`] : []),
      ...(run?.trim().includes('\n') === true ? [`${job}, ${name}: more than a line`] : []),
    ]),
  ];
}

const files = readdirSync(FOLDER);
const workflow = (name: string): Workflow => Workflow.parse(parse(readFileSync(join(FOLDER, name), 'utf8')));

describe('each workflow', () => {
  test('is one of those that are known here', () => {
    expect(files).toEqual(['attest.yml']);
  });

  test.for(files)('%s pins its actions, gives no right to all, and runs no expression', (name) => {
    expect(faultsOf(workflow(name))).toEqual([]);
  });

  test('is refused with each of these faults', () => {
    const job = { name: 'x', 'runs-on': 'x', 'timeout-minutes': 1, permissions: {} };
    const steps = [
      { name: 'a', uses: 'actions/checkout@v6' },
      { name: 'b', run: 'echo ${{ github.event.head_commit.message }}' },
      { name: 'c', run: 'true\nfalse' },
    ];
    const bad = {
      name: 'x',
      on: { pull_request_target: null },
      permissions: { contents: 'read' },
      jobs: { j: { ...job, steps } },
    };
    expect(faultsOf(Workflow.parse(bad))).toEqual([
      'permissions for every job',
      'pull_request_target',
      'j, a: not pinned',
      'j, a: keeps credentials',
      'j, b: an expression in run',
      'j, c: more than a line',
    ]);
  });
});

describe('attest.yml', () => {
  const { on, jobs } = workflow('attest.yml');
  const runs = (job: string): readonly string[] => jobs[job]?.steps.flatMap(({ run }) => run ?? []) ?? [];

  test('is called by another workflow only', () => {
    expect(Object.keys(on)).toEqual(['workflow_call']);
  });

  test('gives the token to the job that runs no test', () => {
    expect(Object.fromEntries(Object.entries(jobs).map(([name, { permissions }]) => [name, permissions]))).toEqual({
      test: { contents: 'read' },
      attest: { contents: 'read', 'id-token': 'write', 'pull-requests': 'read' },
    });
    expect(
      runs('attest').filter(
        (run) => !/^(npx gatehouse attest|node_modules\/\.bin\/node scripts\/review-of-commit\.ts) /.test(run),
      ),
    ).toEqual(['npm ci --ignore-scripts']);
  });

  test('attests each report that is made, of the commit that was pushed, for a gate that exists', () => {
    const attested = runs('attest').flatMap((run) => {
      const line = /^npx gatehouse attest (\S+) --commit "\$GITHUB_SHA" --from (\S+) --api "\$API"$/.exec(run);
      return line === null ? [] : [[line[1], line[2]]];
    });
    expect(attested).toEqual([
      ['unit-tests', 'reports/unit-tests.xml'],
      ['security-scan', 'reports/pip-audit.json'],
      ['security-scan', 'reports/npm-audit.json'],
      ['code-review', 'code-review.json'],
    ]);
    const made = [...runs('test'), ...runs('attest').filter((run) => run.includes('review-of-commit'))].join('\n');
    for (const [gate, file] of attested) {
      expect(AttestedGate.options).toContain(gate);
      expect(made).toMatch(new RegExp(`(?:--output |--outputFile\\.junit=|> )${file?.replaceAll('.', '\\.')}$`, 'm'));
    }
  });

  test('attests also what failed', () => {
    expect(jobs['attest']?.if).toBe('${{ !cancelled() }}');
    const attesting = jobs['attest']?.steps.filter(({ run }) => run?.startsWith('npx gatehouse') === true) ?? [];
    for (const step of attesting) expect(step.if).toMatch(/^\$\{\{ !cancelled\(\)/);
    expect(attesting).toHaveLength(4);
  });
});
