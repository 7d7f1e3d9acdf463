import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { truncated } from '#domain/audit/truncated.ts';
import { Digest, parseDocument } from '#domain/canonical/digest.ts';
import {
  type CheckedPartition,
  CheckedPartitions,
  CheckResults,
  DataCheckEvidence,
  DataCheckPlan,
  readingOf,
  StagedData,
} from '#domain/data/data-check.ts';
import { type DataEvidence, type DataJudgement, judgeData as judge } from '#domain/data/judge-data.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { deployedModel, policyDigest } from '#domain/model/deployed.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { ProcessingJobs } from '#ports/processing-jobs.ts';
import { findRecordOf } from '#read-model/chain.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { CheckExpectations, resultsPrefix } from './check-expectations.ts';
import { dataDigest, type DataCheckPlanning, inputsOf, readChecked } from './plan-data-check.ts';
import { StageData } from './stage-data.ts';

export const JudgeData = contract({
  /** What the machine's document holds by then. */
  input: z.object({
    plan: z.object({ plan: Digest }),
    staged: StageData.output,
    /** Absent where the data could not be staged: nothing was checked. */
    checked: CheckExpectations.answer.exactOptional(),
  }),
  output: z.object({
    status: DataCheckEvidence.shape.verdict,
    reasons: z.array(z.string()),
    evidence: Digest,
  }),
});
type Given = z.output<typeof JudgeData.input>;
type Verdict = z.output<typeof JudgeData.output>;

interface DataJudging extends Recording, DataCheckPlanning {
  readonly checks: Pick<ProcessingJobs, 'readOutput'>;
}

/** What the suites said in this run; null where nothing was looked at, and why. */
type Found =
  | { readonly results: CheckResults; readonly staged: StagedData }
  | { readonly results: null; readonly reasons: readonly string[] };

/**
 * Judges the data of a check by the policy's rules and keeps what the suites said of each partition, in one transaction
 * with the record of it. A check has one verdict: whoever comes to it again gets the one that was recorded.
 */
export function judgeData(deps: DataJudging): Task {
  return JudgeData.task(async (given) => {
    const plan = await readDocument(deps.documents, DataCheckPlan, given.plan.plan);
    const { model, run } = plan;
    const { policy } = deployedModel(deps.deployed, model);
    if (policy.data === undefined)
      throw new GatehouseError('NO_DATA_RULE', `the policy of ${model} has none`, { model });
    const operation = operationName('data', run);
    const standing = await recordedVerdict(deps, model, operation);
    if (standing !== undefined) return standing;
    const found = await findResults(deps, plan, given);
    const before = await readChecked(deps, model);
    const catalogue = await readCatalogue(deps.ledger, model);
    const definition = await readDocument(deps.documents, ModelDefinition, plan.definition);
    const checked = mergeChecked(before?.checks.partitions ?? [], plan, definition, found.results);
    const judgement: DataJudgement =
      found.results === null
        ? { verdict: 'INCONCLUSIVE', reasons: found.reasons }
        : judge(await evidenceOf(deps, plan, found, checked, catalogue), policy.data);
    const evidence = await writeDocument(deps.documents, DataCheckEvidence, {
      formatVersion: 1,
      plan: given.plan.plan,
      staged: given.staged.status === 'staged' ? given.staged.staged : null,
      results: found.results,
      ...judgement,
    });
    const document = await writeDocument(deps.documents, CheckedPartitions, {
      formatVersion: 1,
      model,
      partitions: currentOf(checked, catalogue),
      ...joinsOf(run, found, before?.checks),
    });
    const left = found.results === null ? plan.partitions : refusedOf(plan, found.staged);
    const isResolved = found.results !== null && left.length === 0;
    const at = deps.clock.now().toISOString();
    const unresolved = isResolved ? null : { data: dataDigest({ ...plan, partitions: left }), at };
    const details = {
      run,
      partitions: plan.partitions.length,
      rows: found.results?.batches.reduce((sum, { rows }) => sum + rows, 0) ?? 0,
      training: plan.training?.plan ?? null,
      policy: policyDigest(policy),
      evidence,
    };
    const result = await recordChange(deps, {
      model,
      operation,
      writes: [
        {
          kind: 'put',
          item: { ...keys.checkedData(model), formatVersion: 1, model, document, unresolved },
          condition: before === undefined ? ABSENT : equals({ document: before.document }),
        },
      ],
      event:
        judgement.verdict === 'PASS'
          ? { code: 'DATA_VALIDATED', actor: 'pipeline:data-quality', release: null, details }
          : {
              code: 'DATA_REFUSED',
              actor: 'pipeline:data-quality',
              release: null,
              details: { ...details, verdict: judgement.verdict, reasons: truncated(judgement.reasons, 8, 2400) },
            },
    });
    // Another check was quicker: what it found belongs to what this one has to keep.
    if (result.kind === 'refused')
      throw new GatehouseError('DATA_CHECK_RACED', `${model}: another check was recorded at the same time`, { run });
    return { status: judgement.verdict, reasons: truncated(judgement.reasons, 8, 2400), evidence };
  });
}

/** The verdict that was recorded under an operation, as the machine goes on with it. */
async function recordedVerdict(deps: Recording, model: string, operation: string): Promise<Verdict | undefined> {
  const record = await findRecordOf(deps.ledger, model, operation);
  if (record === undefined) return undefined;
  if (record.code === 'DATA_VALIDATED')
    return { status: 'PASS', reasons: [], evidence: detailsOf(record, 'DATA_VALIDATED').evidence };
  const { verdict, reasons, evidence } = detailsOf(record, 'DATA_REFUSED');
  return { status: verdict, reasons, evidence };
}

async function findResults(deps: DataJudging, plan: DataCheckPlan, given: Given): Promise<Found> {
  const { staged, checked } = given;
  if (staged.status === 'refused') return { results: null, reasons: staged.reasons };
  if (checked?.status !== 'checked')
    return {
      results: null,
      reasons: [`the check ended without a result: ${checked?.reason ?? 'no reason was given'}`],
    };
  const bytes = await deps.checks.readOutput(`${resultsPrefix(plan.run)}results.json`);
  if (bytes === undefined) return { results: null, reasons: ['the check left no results.json'] };
  try {
    const results = parseDocument(CheckResults, JSON.parse(new TextDecoder().decode(bytes)), 'results.json');
    return { results, staged: await readDocument(deps.documents, StagedData, staged.staged) };
  } catch (error) {
    // What a container wrote is data: what cannot be read is no result, and no retry makes it one.
    const isUnreadable =
      error instanceof SyntaxError || (error instanceof GatehouseError && error.code === 'BAD_DOCUMENT');
    if (!isUnreadable) throw error;
    return { results: null, reasons: [`results.json of the check cannot be read: ${error.message}`] };
  }
}

/** What the suites have said, with what they say now in place of what they said of the same bytes. */
function mergeChecked(
  before: readonly CheckedPartition[],
  { partitions, suites }: DataCheckPlan,
  definition: ModelDefinition,
  results: CheckResults | null,
): readonly CheckedPartition[] {
  const merged = new Map(before.map((each) => [`${each.kind} ${each.day} ${each.digest}`, each]));
  for (const { kind, day, version, digest } of partitions) {
    const batch = results?.batches.find((each) => each.kind === kind && each.day === day && each.version === version);
    const suite = suites[kind];
    if (batch === undefined || suite === undefined) continue;
    const { rows, failures } = batch;
    merged.set(`${kind} ${day} ${digest}`, {
      kind,
      day,
      digest,
      suite,
      reading: readingOf(definition, kind),
      rows,
      failures,
    });
  }
  return [...merged.values()];
}

/** What the join of events and labels lost in this run, else what it lost in an earlier one. */
function joinsOf(
  run: string,
  found: Found,
  before: CheckedPartitions | undefined,
): Pick<CheckedPartitions, 'training'> {
  const rows = found.results === null ? null : found.staged.training;
  if (rows !== null) return { training: { run, joins: rows.joins } };
  return before?.training === undefined ? {} : { training: before.training };
}

/** Only the newest version of a partition is looked up later: older ones would make the document grow for ever. */
function currentOf(checked: readonly CheckedPartition[], catalogue: readonly AdmittedPartition[]): CheckedPartition[] {
  const current = new Set(catalogue.map(({ kind, day, digest }) => `${kind} ${day} ${digest}`));
  return checked
    .filter(({ kind, day, digest }) => current.has(`${kind} ${day} ${digest}`))
    .toSorted((a, b) => (`${a.kind} ${a.day}` < `${b.kind} ${b.day}` ? -1 : 1));
}

/** The partitions of a check that could not be staged, and why. */
function refusedOf({ partitions }: DataCheckPlan, { refused }: StagedData) {
  return partitions.flatMap((part) => {
    const found = refused.find(
      ({ kind, day, version }) => kind === part.kind && day === part.day && version === part.version,
    );
    return found === undefined ? [] : [{ ...part, reason: found.reason }];
  });
}

async function evidenceOf(
  deps: DataJudging,
  plan: DataCheckPlan,
  { results, staged }: Extract<Found, { readonly staged: StagedData }>,
  checked: readonly CheckedPartition[],
  catalogue: readonly AdmittedPartition[],
): Promise<DataEvidence> {
  const { training } = plan;
  const refused = refusedOf(plan, staged);
  if (training === null) {
    const days = plan.partitions.filter(({ kind }) => kind === 'events').map(({ day }) => day);
    // No event has arrived: there is no day whose rows could be off.
    const span = { from: days[0] ?? '9999-12-31', to: days.at(-1) ?? '0000-01-01' };
    return { catalogue, checked, span, used: plan.partitions, refused, training: null };
  }
  const { from, to } = training;
  const held = catalogue.filter(({ day, objects }) => day >= from && day <= to && objects.length > 0);
  // Most of what a run reads is what lies in its days as well.
  const used = new Map(
    [...held, ...(await inputsOf(deps, training.plan))].map((part) => [
      `${part.kind} ${part.day} ${part.digest}`,
      part,
    ]),
  );
  return {
    catalogue,
    checked,
    span: { from, to },
    used: [...used.values()],
    refused,
    training:
      staged.training === null
        ? { untrainable: staged.untrainable.length > 0 ? staged.untrainable : ['there are no training rows'] }
        : { rows: staged.training, batch: results.batches.find(({ kind }) => kind === 'features') },
  };
}
