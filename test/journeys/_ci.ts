import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
    securityScan: { tools: ['artifact', 'pip-audit'] },
  },
  transitions: {
    staging: { gates: [...gates, ...ofCommit] },
    prod: { gates: [...gates, ...ofCommit, 'integration-tests', 'load', 'security-scan'] },
  },
});
`;

/** Makes a model's policy ask for the word of that job. */
export function askForCi(folder: string): Promise<void> {
  return writeFile(join(folder, 'policy.ts'), POLICY);
}

const SAMPLES = join(import.meta.dirname, '../adapters/reports/samples');

/** The reports of the job, and the lines by which it attests them; the review is of maya's change by lena. */
export async function attestLines(folder: string): Promise<readonly string[]> {
  const review = await readFile(join(SAMPLES, 'github-review.json'), 'utf8');
  const byPeople = review
    .replaceAll(/(?<=")(?:maya|tom|paul)(?=")|(?<=\+)(?:maya|tom|paul)(?=@)/g, 'maya-of-example')
    .replaceAll('"lena"', '"lena-of-example"');
  const clean = { dependencies: [{ name: 'numpy', version: '2.3.0', vulns: [] }], fixes: [] };
  const junit = '<testsuite name="churn" tests="1"><testcase name="features are of the day before"/></testsuite>';
  await writeFile(join(folder, 'review.json'), byPeople);
  await writeFile(join(folder, 'pip-audit.json'), JSON.stringify(clean));
  await writeFile(join(folder, 'junit.xml'), junit);
  return [
    ['unit-tests', 'junit.xml'],
    ['code-review', 'review.json'],
    ['security-scan', 'pip-audit.json'],
  ].map(([gate, file]) => `npm run gatehouse -- attest ${gate} --commit ${COMMIT} --from ${file} --issuer local`);
}

/** What the runner of the job puts into its environment. */
export const environmentOf = (sagemakerEndpoint: string): Readonly<Record<string, string>> =>
  jobEnvironment(sagemakerEndpoint, JOB);
