import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { jobEnvironment } from '#local/ci/issuer.ts';

/** The commit that CI attests, as `GATEHOUSE_COMMIT` gives it to a deployment. */
export const COMMIT = 'a'.repeat(40);

/** The job of a push of that commit, as its token says. */
export const JOB = {
  sha: COMMIT,
  ref: 'refs/heads/main',
  ref_protected: 'true',
  repository: 'example/churn',
  repository_id: '42',
  event_name: 'push',
  job_workflow_ref: 'example/churn/.github/workflows/attest.yml@refs/heads/main',
  run_id: '1001',
  run_attempt: '1',
  actor: 'maya-of-example',
} as const;

/** A model's policy that asks for what the floor leaves to those who have CI: tests, audits and the review of the commit. */
const POLICY = `import { definePolicy } from '#model/define-policy.ts';

const gates = ['released-upstream', 'data-validated', 'release-integrity', 'metric-baseline', 'better-than-champion'] as const;
const ofCommit = ['unit-tests', 'code-review'] as const;
const ofCanary = ['canary-power', 'shadow', 'canary'] as const;

export default definePolicy({
  drift: { stable: ['amount', 'hour'] },
  attestations: {
    producers: [
      {
        gates: [...ofCommit, 'security-scan'],
        issuer: 'local',
        repositoryId: '${JOB.repository_id}',
        workflow: '${JOB.job_workflow_ref}',
        events: ['push'],
        refs: ['${JOB.ref}'],
      },
    ],
    securityScan: { tools: ['artifact', 'pip-audit', 'npm-audit'] },
  },
  transitions: {
    staging: { gates: [...gates, ...ofCommit] },
    prod: { gates: [...gates, ...ofCommit, 'integration-tests', 'load', 'security-scan', ...ofCanary] },
  },
});
`;

/** Makes a model's policy ask for the word of that job. */
export function askForCi(folder: string): Promise<void> {
  return writeFile(join(folder, 'policy.ts'), POLICY);
}

const WORKFLOWS = join(import.meta.dirname, '../../.github/workflows');
const SAMPLES = join(import.meta.dirname, '../adapters/reports/samples');

const Workflow = z.object({
  jobs: z.object({ attest: z.object({ steps: z.array(z.object({ run: z.string().optional() })) }) }),
});

/**
 * The reports of the job, and the commands by which `.github/workflows/attest.yml` attests them, each as it stands there but for
 * the name of the issuer; the review is of maya's change by lena.
 */
export async function attestLines(folder: string): Promise<readonly string[]> {
  const review = await readFile(join(SAMPLES, 'github-review.json'), 'utf8');
  const byPeople = review
    .replaceAll(/(?<=")(?:maya|tom|paul)(?=")|(?<=\+)(?:maya|tom|paul)(?=@)/g, 'maya-of-example')
    .replaceAll('"lena"', '"lena-of-example"');
  const none = { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0 };
  const dependencies = { prod: 1, dev: 0, optional: 0, peer: 0, peerOptional: 0, total: 1 };
  await mkdir(join(folder, 'reports'));
  await Promise.all(
    Object.entries({
      'code-review.json': byPeople,
      'reports/unit-tests.xml':
        '<testsuite name="churn" tests="1"><testcase name="features are of the day before"/></testsuite>',
      'reports/pip-audit.json': JSON.stringify({
        dependencies: [{ name: 'numpy', version: '2.3.0', vulns: [] }],
        fixes: [],
      }),
      'reports/npm-audit.json': JSON.stringify({
        auditReportVersion: 2,
        vulnerabilities: {},
        metadata: { vulnerabilities: none, dependencies },
      }),
    }).map(([file, text]) => writeFile(join(folder, file), text)),
  );
  const { jobs } = Workflow.parse(parse(await readFile(join(WORKFLOWS, 'attest.yml'), 'utf8')));
  return jobs.attest.steps.flatMap(({ run = '' }) =>
    run.startsWith('npx gatehouse attest ')
      ? [`${run.replace('npx gatehouse', 'npm run gatehouse --')} --issuer local`]
      : [],
  );
}

/** What the runner of the job puts into its environment, and where the workflow is told that control's API is. */
export const environmentOf = (sagemakerEndpoint: string, api: string): Readonly<Record<string, string>> => ({
  ...jobEnvironment(sagemakerEndpoint, JOB),
  GITHUB_SHA: JOB.sha,
  API: api,
});
