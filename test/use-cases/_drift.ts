import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import type { DriftEvidence } from '#domain/drift/judge-drift.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { DRIFT, HEALTHY } from '#test/domain/drift/_evidence.ts';
import { execute, TaskError } from '#local/statemachines/interpreter.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { judgeDrift } from '#use-cases/drift/judge-drift.ts';
import { planDriftCheck } from '#use-cases/drift/plan-drift-check.ts';
import type { Task } from '#use-cases/task.ts';
import { scene } from './_scene.ts';
import { admitDays } from './_admitted.ts';
import { bytes, definition, type Environment, MODEL, policy } from './_environments.ts';
import { day, under } from './_watched.ts';

export const watching: Policy = { ...policy, drift: DRIFT };

export let here: Awaited<ReturnType<typeof scene>>;
export let prod: Environment;
/** Prod with a release that is served, and its published predictions. */
export async function begin(): Promise<void> {
  here = await scene();
  prod = under(here.prod, watching);
  await here.begin(prod);
  await admitDays(prod.ledger, '2001-01-25', day(14), { mark: ' later' });
}

/** Publishes predictions of a release for some days, of the features that would be built now. */
export async function serve(release: Digest, first: string, last: string): Promise<void> {
  const featuresOf = featurePlanner(definition, prod.engine, await readCatalogue(prod.ledger, MODEL));
  for (const each of daysBetween(first, last)) {
    const plan = featuresOf(each);
    if (!plan.ready) throw new Error(`no features of ${each}`);
    const manifest = {
      formatVersion: 1,
      model: MODEL,
      day: each,
      features: plan.digest,
      release,
      scorer: prod.scorer,
      schema: digestOf('schema'),
      object: { bucket: 'lake', key: each, versionId: '1', sha256: digestOf(each), size: 1 },
      rows: 10,
      lineage: null,
      run: 'run',
      epoch: 2,
      publishedAt: prod.clock.now().toISOString(),
    };
    await prod.ledger.transact([{ kind: 'put', item: { ...keys.prediction(MODEL, each), ...manifest } }], each);
  }
}

/** A check by its machine as of a day: everything is real but what DuckDB would have measured. */
export async function check(
  asOf: string,
  found: Partial<DriftEvidence> & { readonly unmeasured?: string } = {},
  own = prod,
  run = `drift-${asOf}`,
) {
  const metrics = memoryMetrics();
  const { stability, concept, parity } = { ...HEALTHY, ...found };
  const stored = async (measure: object | null): Promise<Digest | null> =>
    measure === null ? null : (await own.documents.write(bytes(canonicalJson(measure)))).digest;
  const live = await stored(concept.live);
  const tasks: Record<string, Task> = {
    'Plan drift check': planDriftCheck(own),
    'Build daily partition': async () => ({ status: 'built' }),
    'Build feature partition': async () => ({ status: 'built' }),
    'Measure stability': async () => ({
      status: 'measured',
      measure: await stored(stability.measure),
      reason: stability.reason,
    }),
    'Measure answers': async () => ({ days: [], reason: '' }),
    'Measure comparison': async () => ({
      comparisons: live === null ? [] : [{ slice: 'live', measure: live }],
      ...(found.unmeasured === undefined ? {} : { status: 'insufficient', reasons: [found.unmeasured] }),
    }),
    'Recompute features': async () => parity,
    // Twenty minutes after it was planned.
    'Judge drift': judgeDrift({
      ...own,
      metrics,
      clock: { now: () => new Date(own.clock.now().getTime() + 20 * 60_000) },
    }),
    'Record failure': recordRunFailure(own),
  };
  const done = await execute(
    'drift',
    { model: MODEL, asOf },
    async ({ state, payload }) => {
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
  return { ...done, ending: done.path.at(-1), metrics: metrics.emitted };
}

export interface Plan {
  readonly release: Digest;
  readonly stability: { readonly plan: Digest; readonly day: string | null };
  readonly comparisons: readonly { readonly comparison: Digest }[];
  readonly concept: object;
  readonly recompute: { readonly work: Digest | null };
}
export const planOf = ({ document }: { readonly document: Record<string, unknown> }) => document['plan'] as Plan;
export const checked = async () =>
  (await prod.chain())
    .filter(({ code }) => code === 'DRIFT_CHECKED')
    .map((record) => detailsOf(record, 'DRIFT_CHECKED'));
