import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { canonicalJson, Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import type { AnsweredDay } from '#domain/prediction/answers.ts';
import { predictionDigest } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { probationRule } from '#test/domain/policy/_rule.ts';
import { execute, type Execution, TaskError } from '#local/statemachines/interpreter.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import { judgeRelease } from '#use-cases/probation/judge-release.ts';
import { planReview } from '#use-cases/probation/plan-review.ts';
import { confirmRelease } from '#use-cases/confirmation/confirm-release.ts';
import type { Task } from '#use-cases/task.ts';
import { promote, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { admitDays } from './_admitted.ts';
import { bytes, type Environment, hours, MODEL, policy, START } from './_environments.ts';
import { day, under } from './_watched.ts';

/** The policy that promotes what is likely better, and judges it within a week. */
export const lenient: Policy = {
  ...policy,
  comparison: { ...policy.comparison, provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } },
  transitions: { ...policy.transitions, prod: { ...policy.transitions.prod, probation: probationRule(7) } },
};

export let here: Awaited<ReturnType<typeof scene>>;
export let prod: Environment;
/** Staging and prod, with a champion that is served. */
export async function begin(): Promise<void> {
  here = await scene(day(-1));
  prod = under(here.prod, lenient);
  await here.begin(prod);
}

/** Lets a release in that gained this share. */
export async function letIn(gain: number, newest = day(-1)) {
  const made = await here.candidate('likely');
  const { path } = await promote(prod, made.request, { ...made.well, measured: fortnight(gain) });
  expect(path.at(-1)).toBe('Promoted');
  // Days that come while it is served; the newest before them is corrected, which is no new day.
  await admitDays(prod.ledger, newest, day(14), { mark: ' later', at: START + hours(1) });
  return made.release;
}

/** Publishes predictions of a release for some days, as a batch run would, and leaves their features in the lake. */
export async function serve(release: Digest, first: string, last: string): Promise<void> {
  for (const each of daysBetween(first, last)) {
    const features = await store('features', digestOf(`features of ${each}`), `features of ${each}`);
    const name = predictionDigest(features, release, prod.scorer);
    await store('predictions', name, `predictions of ${each}`);
    const found = await prod.lake.find('predictions', MODEL, name);
    if (found === undefined) throw new Error('it was stored');
    const manifest: PredictionManifest = {
      formatVersion: 1,
      model: MODEL,
      day: each,
      features,
      release,
      scorer: prod.scorer,
      schema: digestOf('schema'),
      object: found.object,
      rows: 10,
      lineage: null,
      run: 'run',
      epoch: 2,
      publishedAt: prod.clock.now().toISOString(),
    };
    await prod.ledger.transact([{ kind: 'put', item: { ...keys.prediction(MODEL, each), ...manifest } }], each);
  }
}

export async function store(kind: 'features' | 'predictions', name: Digest, content: string): Promise<Digest> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const path = join(folder, 'part.parquet');
  await writeFile(path, content);
  await prod.lake.store(kind, MODEL, name, { path, sha256: digestOf(content), rows: 10 });
  await rm(folder, { recursive: true });
  return name;
}

export interface Measured {
  readonly fast?: ComparisonMeasure;
  readonly slow?: ComparisonMeasure;
  readonly answers?: readonly AnsweredDay[];
  /** Why answers could not be measured. */
  readonly unanswered?: string;
  /** Why nothing could be measured. */
  readonly reasons?: readonly string[];
  /** Something that happens before a state is entered. */
  readonly before?: (state: string) => Promise<void>;
}

/** A review by its machine as of a day: everything is real but what DuckDB would have measured. */
export async function review(
  asOf: string,
  measured: Measured = {},
  own = prod,
  run = `review-${asOf}`,
): Promise<Execution> {
  const digests: { slice: string; measure: Digest }[] = [];
  for (const slice of ['fast', 'slow'] as const) {
    const measure = measured[slice];
    if (measure === undefined) continue;
    digests.push({ slice, measure: (await own.documents.write(bytes(canonicalJson(measure)))).digest });
  }
  const tasks: Record<string, Task> = {
    'Plan review': planReview(own),
    'Score release': scorePartitions(own),
    'Measure answers': async () => ({ days: measured.answers ?? [], reason: measured.unanswered ?? '' }),
    'Measure comparison': async () =>
      measured.reasons === undefined
        ? { status: 'measured', comparisons: digests }
        : { status: 'insufficient', reasons: measured.reasons, comparisons: [] },
    'Judge release': judgeRelease(own),
    'Record failure': recordRunFailure(own),
  };
  return execute(
    'probation',
    { model: MODEL, asOf },
    async ({ state, payload, child }) => {
      await measured.before?.(state);
      if (child !== undefined)
        return { Status: 'SUCCEEDED', ExecutionArn: `arn:${child}`, Output: await act(child, payload) };
      const task = tasks[state];
      if (task === undefined) throw new Error(`no task "${state}"`);
      try {
        return JSON.parse(JSON.stringify(await task(payload['input']))) as unknown;
      } catch (error) {
        throw new TaskError('Runtime.HandlerError', error instanceof Error ? error.message : String(error));
      }
    },
    run,
  );
}

/** The other machines, by their own files. */
export async function act(child: string, input: Record<string, unknown>): Promise<unknown> {
  if (child === 'rollback') return (await rollBack(prod, input)).document;
  const tasks = { 'Confirm release': confirmRelease(prod), 'Record failure': recordRunFailure(prod) };
  const done = await execute('confirmation', input, ({ state, payload }) =>
    tasks[state as keyof typeof tasks](payload['input']),
  );
  return done.document;
}

export const codesSince = async (count: number): Promise<readonly string[]> => (await prod.codes()).slice(count);

/** What the machine's plan says of each comparison. */
export async function plansOf({ document }: Execution): Promise<ComparisonPlan[]> {
  const { comparisons } = document['plan'] as { comparisons: { comparison: Digest }[] };
  return Promise.all(
    comparisons.map(async ({ comparison }) =>
      parseCanonical(ComparisonPlan, await prod.documents.read(comparison), 'comparison plan'),
    ),
  );
}

export function setHere(value: typeof here): void {
  here = value;
}

export function setProd(value: typeof prod): void {
  prod = value;
}
