import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { atMost } from '#adapters/at-most.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { folderArtifactStore } from '#adapters/folder/artifact-store.ts';
import { folderLake } from '#adapters/folder/lake.ts';
import { readIfThere } from '#adapters/folder/files.ts';
import { folderTrainingData } from '#adapters/folder/training-data.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { readEvents } from '#adapters/duckdb/event-rows.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { drawReport } from '#adapters/report/page.ts';
import { canonicalJson, Digest } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { type Item, keyText } from '#domain/ledger/item.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readDocument } from '#ports/documents.ts';
import { CheckedData, findCheckedData } from '#read-model/checked-data.ts';
import { type Call, execute, TaskError } from '../statemachines/interpreter.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { Recording } from '#use-cases/audit/record-change.ts';
import { buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { measureComparison } from '#use-cases/data/measure-comparison.ts';
import { CheckExpectations, resultsPrefix } from '#use-cases/data-quality/check-expectations.ts';
import { judgeData } from '#use-cases/data-quality/judge-data.ts';
import { planDataCheck } from '#use-cases/data-quality/plan-data-check.ts';
import { stageData, stagePrefix } from '#use-cases/data-quality/stage-data.ts';
import { measureStability } from '#use-cases/drift/measure-stability.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import { exportTrainingRows, rowsPrefix } from '#use-cases/retraining/export-training-rows.ts';
import { openRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import { packageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { TrainWindow } from '#use-cases/retraining/train-window.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { attachReport } from '#use-cases/validation/attach-report.ts';
import { baselineOf } from '#use-cases/validation/champion.ts';
import {
  holdAsInconclusive,
  offerRelease,
  rejectCandidates,
  rejectUnfitData,
} from '#use-cases/validation/conclude-validation.ts';
import { evaluateCandidates } from '#use-cases/validation/evaluate-candidates.ts';
import { explainRelease } from '#use-cases/validation/explain-release.ts';
import { planReports } from '#use-cases/validation/plan-reports.ts';
import { planValidation } from '#use-cases/validation/plan-validation.ts';
import { writeReport } from '#use-cases/validation/write-report.ts';
import { admitPartition } from '#use-cases/admission/admit-partition.ts';
import { runTraining } from './training.ts';
import { runSuites } from './suites.ts';
import type { LocalLanding } from './landing.ts';

/** A pipeline of one model on this machine: its ledger lives as long as the command, what was built stays in a folder. */
export interface LocalPipeline {
  readonly ledger: Ledger;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  /** Admits what was landed, as dev does: what it refuses, with its reason. */
  admit(): Promise<readonly string[]>;
  /** Runs dev's retraining, and the data check and the validation that it starts, state by state. */
  retrain(run: { readonly model: string; readonly asOf: string }): Promise<Retrained>;
}

/** A run of the pipeline, and the states that it passed. */
export interface Retrained {
  readonly run: string;
  readonly steps: readonly Step[];
}

/** A state that was passed, with what it was given and what it answered. */
export interface Step {
  readonly state: string;
  readonly input: unknown;
  readonly output: unknown;
}

interface Wiring {
  readonly deployed: DeployedModels;
  /** The model's own folder: its training program is there. */
  readonly modelHome: string;
  /** What lies in the landing bucket, as it were. */
  readonly landing: LocalLanding;
  /** Where everything that is made goes. */
  readonly folder: string;
  readonly now: () => Date;
  /** The release that candidates have to beat; the baseline that the run makes where there is none. */
  readonly champion?: Digest | undefined;
  /** Told of each state that begins, and each line that a training program prints. */
  readonly onState: (state: string) => void;
  readonly onLine: (line: string) => void;
}

/** The stores of a local pipeline, below its folder. */
export function storesIn(folder: string) {
  return {
    documents: folderArtifactStore(join(folder, 'documents')),
    releases: folderArtifactStore(join(folder, 'releases')),
  };
}

/** Wires dev's own state machines and use-cases to folders, and to programs that run as their containers would. */
export async function localPipeline(wiring: Wiring): Promise<LocalPipeline> {
  const { deployed, folder } = wiring;
  const stores = storesIn(folder);
  await mkdir(folder, { recursive: true });
  // Of this command alone: another one may evaluate the same model at the same time.
  const runs = await mkdtemp(join(folder, 'jobs-'));
  const known = await recall(stores.documents, folder);
  const ledger = memoryLedger({ items: new Map(known.map((item) => [keyText(item), item])) });
  const tasks = tasksOf(wiring, { ...stores, ledger, runs });
  return {
    ...stores,
    ledger,
    async admit() {
      const { releases } = stores;
      const admitting = { ...recordingOf(wiring, ledger), releases, deployed, landing: wiring.landing, engine };
      const inTurn = atMost(availableParallelism());
      const reasons = await Promise.all(
        wiring.landing.markers.map(async ({ kind, day, marker }) => {
          const admission = await inTurn(() => admitPartition({ ...admitting, announce: async () => {} }, marker));
          if (admission.kind !== 'refused') return [];
          const { rule, found } = admission.refusal;
          return [`${kind} of ${day} are not admitted: ${rule}: ${found}`];
        }),
      );
      return reasons.flat();
    },
    async retrain({ model, asOf }) {
      const steps: Step[] = [];
      const answer = async ({ state, payload, child }: Call): Promise<unknown> => {
        wiring.onState(state);
        if (child !== undefined) {
          const { status, document, error } = await execute(child, payload, answer, `${model}-${asOf}-${child}`);
          if (status === 'FAILED') throw new TaskError('States.TaskFailed', error);
          return { Status: status, ExecutionArn: child, Output: document };
        }
        const run = tasks[state];
        if (run === undefined) throw new Error(`no task "${state}"`);
        const { input } = payload;
        const output: unknown = JSON.parse(JSON.stringify(await run(input)));
        steps.push({ state, input, output });
        return output;
      };
      const input = { model, asOf, trigger: 'person:laptop' };
      const run = `${model}-${asOf}`;
      try {
        await execute('retraining', input, answer, run);
      } finally {
        await rm(runs, { recursive: true });
      }
      await remember(ledger, folder, model);
      return { run, steps };
    },
  };
}

const CHECKED = 'checked.json';

/** Keeps what the suites have said of each partition, so that the next evaluation asks of new data alone, as dev does. */
async function remember(ledger: Ledger, folder: string, model: string): Promise<void> {
  const checked = await findCheckedData(ledger, model);
  if (checked === undefined) return;
  const partial = join(folder, `${CHECKED}.${process.pid}`);
  await writeFile(partial, canonicalJson(checked));
  await rename(partial, join(folder, CHECKED));
}

async function recall(documents: ArtifactStore, folder: string): Promise<readonly Item[]> {
  const text = await readIfThere(join(folder, CHECKED));
  if (text === undefined) return [];
  const parsed = CheckedData.safeParse(jsonOf(text));
  // It saves time and nothing else: what cannot be read is looked at again.
  if (!parsed.success) return [];
  const checked = parsed.data;
  // Nothing is left unresolved from an earlier command: what it could not look at is looked at now.
  return (await documents.has(checked.document))
    ? [{ ...keys.checkedData(checked.model), ...checked, unresolved: null }]
    : [];
}

function jsonOf(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return undefined;
  }
}

/** Everything happens in dev, as it were. */
function recordingOf({ now }: Wiring, ledger: Ledger): Recording {
  return { environment: 'dev', ledger, clock: { now } };
}

interface Places extends Pick<LocalPipeline, 'documents' | 'releases'> {
  readonly ledger: Ledger;
  readonly runs: string;
}

/** What each state does: all of it as it is deployed, but for the jobs, which are programs here. */
function tasksOf(wiring: Wiring, { runs, ...places }: Places): Readonly<Record<string, Task>> {
  const { deployed, modelHome, folder, champion, onLine } = wiring;
  const { documents, releases, ledger } = places;
  const training = folderTrainingData(runs);
  const lake = folderLake(join(folder, 'lake'), wiring.landing.files);
  const own = { ...places, ...recordingOf(wiring, ledger), deployed, lake };
  const planning = { ...own, engine: FEATURE_ENGINE, scorer: SCORER };
  const building = { ...own, engine, training };
  const scoring = {
    ...own,
    scoring: onnxScoring,
    scorer: SCORER,
    training,
    events: { readEvents },
    online: onlineFeatures,
  };
  const reject = rejectCandidates(own);
  const hold = holdAsInconclusive(own);
  const checks = { readOutput: (key: string) => readIfThere(join(runs, key)) };
  return {
    'Open retraining run': openRetrainingRun(own),
    'Plan windows': planWindows(planning),
    'Build daily partition': buildDailyPartition(building),
    'Build feature partition': buildFeaturePartition(building),
    'Plan data check': planDataCheck(own),
    'Stage data': stageData(building),
    'Check expectations': checkHere(runs),
    'Judge data': judgeData({ ...own, checks }),
    'Reject run': reject,
    'Reject unfit data': rejectUnfitData(own),
    'Export training rows': exportTrainingRows(building),
    'Train window': trainHere({ documents, releases, runs, modelHome, onLine }),
    'Package candidates': packageCandidates(scoring),
    'Reject untrained run': reject,
    'Register candidate': registerCandidates(own),
    'Plan validation': planValidation({
      ...planning,
      champion: async (model) => champion ?? baselineOf(ledger, model),
    }),
    'Score release': scorePartitions(scoring),
    'Measure comparison': measureComparison(building),
    'Evaluate gates': evaluateCandidates(own),
    'Plan reports': planReports(planning),
    'Measure stability': measureStability(building),
    'Explain release': explainRelease(scoring),
    'Write report': writeReport({ documents, releases, draw: drawReport }),
    'Attach report': attachReport(own),
    'Offer release': offerRelease(own),
    'Reject candidates': reject,
    'Hold as inconclusive': hold,
    'Hold unmeasured': hold,
  };
}

/** As the state's own, but that what it says is what its token would be returned with: nothing is waited for here. */
const TrainHere = contract({ input: TrainWindow.input.omit({ token: true }), output: TrainWindow.answer });
const CheckHere = contract({ input: CheckExpectations.input.omit({ token: true }), output: CheckExpectations.answer });

/** Trains a window as its job would; the answer is what the execution is told when the job has ended. */
function trainHere(deps: {
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly runs: string;
  readonly modelHome: string;
  readonly onLine: (line: string) => void;
}): Task {
  return TrainHere.task(async ({ plan: digest, job }) => {
    const plan = await readDocument(deps.documents, TrainingPlan, digest);
    const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
    const began = performance.now();
    const rows = join(deps.runs, rowsPrefix(plan.run, plan.window.name));
    const root = join(deps.runs, 'containers', job);
    const { failure, model } = await runTraining(definition, deps.modelHome, rows, root, deps.onLine);
    return failure === undefined
      ? { status: 'trained', artifact: join(model, '..'), seconds: Math.round((performance.now() - began) / 1000) }
      : { status: 'failed', reason: failure };
  });
}

/** Puts what was staged before the suites as their job would. */
function checkHere(runs: string): Task {
  return CheckHere.task(async ({ run }) => {
    const root = join(runs, 'containers', 'check');
    const processing = join(root, 'opt/ml/processing');
    await mkdir(processing, { recursive: true });
    await cp(join(runs, stagePrefix(run)), join(processing, 'input'), { recursive: true });
    const failure = await runSuites(root);
    if (failure !== undefined) return { status: 'failed', reason: failure };
    await cp(join(processing, 'output'), join(runs, resultsPrefix(run)), { recursive: true });
    return { status: 'checked' };
  });
}
