import { z } from 'zod';
import { Digest, digestOf, digestOfJson } from '#domain/canonical/digest.ts';
import { CheckedPartitions, DataCheckPlan, readingOf } from '#domain/data/data-check.ts';
import { TrainingInputs } from '#domain/data/training-inputs.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { Day, ModelDefinition } from '#domain/model/definition.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { readDocument, writeDocument, writeText } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { type CheckedData, findCheckedData } from '#read-model/checked-data.ts';
import { readCatalogue, readPartitionVersions } from '#read-model/partitions.ts';
import { contract, type Task } from '#use-cases/task.ts';

export interface DataCheckPlanning {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly deployed: DeployedModels;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
}

/** What no check could look at is tried again after so many hours: by the clock, people would be told each quarter of an hour. */
const AGAIN_HOURS = 6;

/** Names what a check looks at, whichever run it is. */
export function dataDigest({ suites, partitions }: Pick<DataCheckPlan, 'suites' | 'partitions'>): Digest {
  return digestOfJson({
    suites,
    partitions: partitions.map(({ kind, day, digest }) => `${kind} ${day} ${digest}`).toSorted(),
  });
}

export const PlanDataCheck = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    /** Null where what has arrived is validated, and nothing is about to train on it. */
    training: z.object({ plan: Digest, from: Day, to: Day }).nullable(),
  }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('planned'),
      model: z.string(),
      run: z.string(),
      plan: Digest,
      /** How many partitions no suite has validated in their version. */
      partitions: z.int(),
    }),
    z.object({ status: z.literal('nothing'), reasons: z.array(z.string()) }),
  ]),
});

/**
 * Plans what the suites have to look at: the admitted partitions that none has seen in this version, and, before
 * training, the versions that the run pinned and the rows that it is about to train on.
 */
export function planDataCheck(deps: DataCheckPlanning): Task {
  return PlanDataCheck.task(async ({ model, run, training }) => {
    const { definition, policy, expectations } = deployedModel(deps.deployed, model);
    if (policy.data === undefined) return nothing('the policy has no rules for data');
    const suites = Object.fromEntries(
      Object.entries(expectations).map(([kind, text]) => [kind, digestOf(text)]),
    ) as DataCheckPlan['suites'];
    const before = await readChecked(deps, model);
    const seen = new Set(
      (before?.checks.partitions ?? []).map(
        ({ kind, day, digest, suite, reading }) => `${kind} ${day} ${digest} ${suite} ${reading ?? ''}`,
      ),
    );
    const admitted = [...(await readCatalogue(deps.ledger, model)), ...(await pinned(deps, model, training?.plan))];
    const byVersion = new Map(admitted.map((each) => [`${each.kind} ${each.day} ${each.digest}`, each]));
    const partitions = [...byVersion.values()].filter(
      ({ kind, day, digest, objects }) =>
        objects.length > 0 &&
        suites[kind] !== undefined &&
        !seen.has(`${kind} ${day} ${digest} ${suites[kind]} ${readingOf(definition, kind)}`),
    );
    if (partitions.length === 0 && training === null) return nothing('every admitted partition has been looked at');
    const since = deps.clock.now().getTime() - AGAIN_HOURS * 3_600_000;
    const isKnownUnresolved =
      before?.unresolved?.data === dataDigest({ suites, partitions }) && Date.parse(before.unresolved.at) > since;
    if (training === null && isKnownUnresolved)
      return nothing(`the same data was looked at without a result, and is looked at again after ${AGAIN_HOURS} hours`);
    for (const text of Object.values(expectations)) await writeText(deps.documents, text);
    const digest = await writeDocument(deps.documents, DataCheckPlan, {
      formatVersion: 1,
      model,
      run,
      suites,
      definition: await writeDocument(deps.documents, ModelDefinition, definition),
      partitions: partitions
        .map(({ kind, day, version, digest, objects }) => ({ kind, day, version, digest, objects }))
        .toSorted((a, b) => (`${a.kind} ${a.day} ${a.version}` < `${b.kind} ${b.day} ${b.version}` ? -1 : 1)),
      training,
    });
    return { status: 'planned', model, run, plan: digest, partitions: partitions.length };
  });
}

/** What a machine that was asked for a check answers where there is nothing to look at. */
function nothing(reason: string): z.output<typeof PlanDataCheck.output> {
  return { status: 'nothing', reasons: [reason] };
}

/** The versions of partitions that a run reads, which may have been corrected since it was planned. */
async function pinned(deps: DataCheckPlanning, model: string, plan: Digest | undefined) {
  if (plan === undefined) return [];
  const inputs = await inputsOf(deps, plan);
  const wanted = new Set(inputs.map(({ kind, day, digest }) => `${kind} ${day} ${digest}`));
  const versions = await readPartitionVersions(deps.ledger, model);
  return versions.filter(({ kind, day, digest }) => wanted.has(`${kind} ${day} ${digest}`));
}

/** The partitions that a training plan reads, by digest. */
export async function inputsOf(
  deps: Pick<DataCheckPlanning, 'documents' | 'releases'>,
  digest: Digest,
): Promise<TrainingInputs['partitions']> {
  const plan = await readDocument(deps.documents, TrainingPlan, digest);
  if (plan.inputs === undefined) return [];
  return (await readDocument(deps.releases, TrainingInputs, plan.inputs)).partitions;
}

/** What the suites have said so far of a model's partitions, and the document in which it stands. */
export async function readChecked(
  { ledger, documents }: Pick<DataCheckPlanning, 'ledger' | 'documents'>,
  model: string,
): Promise<
  | {
      readonly document: Digest;
      readonly checks: CheckedPartitions;
      readonly unresolved: CheckedData['unresolved'];
    }
  | undefined
> {
  const found = await findCheckedData(ledger, model);
  if (found === undefined) return undefined;
  const { document, unresolved } = found;
  const checks = await readDocument(documents, CheckedPartitions, document);
  return { document, checks, unresolved };
}
