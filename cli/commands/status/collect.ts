import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import type { Environment } from '#domain/environment/environment.ts';
import { readRecords } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readFence, readPredictions } from '#read-model/predictions.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { readRegistrations } from '#read-model/registrations.ts';
import { readRuns, type Review, type Run } from '#read-model/runs.ts';
import { type Cloud, notDeployed } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import { RefusedError } from '../../refusal.ts';
import { type Stage, stageOf, STAGES } from '../../stages.ts';
import type { ServiceLevel } from '#domain/prediction/service-level.ts';
import type { AnsweredDay } from '#domain/prediction/answers.ts';
import type { PendingPropagation, Pointer } from '#domain/promotion/pointer.ts';
import type { ReadinessNow } from '#domain/rollback-readiness/readiness.ts';
import { DriftCheck } from './drift-check.ts';
import { watchedText } from '../promotion/phase.ts';
import { levelIfKnown } from '../prediction/level.ts';
import { readinessThere } from './readiness.ts';
import { type RefusalThere, refusalsThere } from './refusals.ts';
import { factsOf, servingFacts } from './serving-facts.ts';
import { type AtWork, atWork, lackingApprovals } from '../../progress/inspect.ts';

/** A promotion that has not ended. */
export interface OpenPromotion {
  readonly promotion: string;
  readonly version: string;
  readonly status: string;
  readonly requestedBy: string;
  readonly waitsFor: readonly string[];
  /** How far its canary is, where it has one. */
  readonly watched?: string;
  readonly until: string;
}

/** What an environment says of a model; undefined fields mean that nothing is served there. */
export interface EnvironmentStatus {
  readonly environment: Environment;
  readonly isDeployed: boolean;
  readonly version?: string;
  readonly release?: string;
  readonly pointerStatus?: string;
  /** Until when the release has to be confirmed, if it is on probation. */
  readonly until?: string;
  /** Whether that has passed, and it was neither confirmed nor rolled back. */
  readonly isOverdue?: true;
  /** What was answered on request, newest day first, by the labels that had arrived. */
  readonly answers?: {
    readonly asOf: string | undefined;
    readonly days: readonly AnsweredDay[];
    readonly reason: string;
  };
  /** What the newest review of the served release found. */
  readonly review?: Pick<Run, 'run' | 'asOf' | 'status'> & Review;
  /** Whether a rollback would work. */
  readonly rollbackReadiness?: ReadinessNow;
  /** What the newest check of drift found. */
  readonly drift?: Pick<Run, 'run' | 'asOf' | 'status'> & { readonly moved: readonly string[] };
  /** What the served hotfix owes: until staging carries it, no other release is promoted. */
  readonly pendingPropagation?: PendingPropagation;
  readonly since?: string;
  readonly lastConfirmed?: string | null;
  readonly promotions: readonly OpenPromotion[];
  /** How sla.predictionsWithinHours is kept, or why that is not known. */
  readonly level?: ServiceLevel | string;
  readonly predictions?: {
    readonly partitions: number;
    readonly newest: string | null;
    readonly outdated: number;
    readonly isReconciling: boolean;
  };
}

export interface ReleaseStatus {
  readonly version: string;
  readonly release: string;
  readonly kind: string;
  readonly stage: Stage;
  readonly owner: string;
  readonly at: string;
}

export interface ModelStatus {
  readonly model: string;
  readonly environments: readonly EnvironmentStatus[];
  /** The executions that are under way, of all environments. */
  readonly atWork: readonly (AtWork & { readonly environment: Environment })[];
  readonly releases: readonly ReleaseStatus[];
  /** What was refused of its data and predictions, and is not mended, in all environments. */
  readonly refusals: readonly RefusalThere[];
}

/** The environments that serve. */
const SERVING = ['staging', 'prod'] as const;
/** The environments with state machines. */
const SPINE = ['dev', ...SERVING] as const;

/** What the ledgers say of a model, across the environments that are deployed. */
export async function modelStatus(context: Context, model: string, newest: number): Promise<ModelStatus> {
  const environments = await Promise.all(
    SERVING.map((environment) =>
      whereDeployed(environmentStatus(context, environment, model), { environment, isDeployed: false, promotions: [] }),
    ),
  );
  const refused = SPINE.map((environment) => whereDeployed(refusalsThere(context.cloud(environment), model), []));
  const [releases, refusals, ...working] = await Promise.all([
    releaseStatuses(context, model, newest),
    Promise.all(refused),
    ...SPINE.map(async (environment) => {
      const found = await whereDeployed(workIn(context.cloud(environment), model, context.now()), []);
      return found.map((each) => ({ environment, ...each }));
    }),
  ]);
  const carried = await carriedByStaging(context, model, environments);
  return {
    model,
    environments: environments.map(({ pendingPropagation, ...status }) => ({
      ...status,
      ...(pendingPropagation === undefined || carried.has(pendingPropagation.release) ? {} : { pendingPropagation }),
    })),
    releases,
    refusals: refusals.flat(),
    atWork: working.flat(),
  };
}

/** The hotfixes that staging has promoted and not rolled back: their pointers keep a pending propagation that holds up nobody any more. */
async function carriedByStaging(
  context: Context,
  model: string,
  environments: readonly EnvironmentStatus[],
): Promise<ReadonlySet<string>> {
  if (environments.every(({ pendingPropagation }) => pendingPropagation === undefined)) return new Set();
  const facts = await whereDeployed(servingFacts(context, 'staging', model), undefined);
  return facts?.carried ?? new Set();
}

function workIn(cloud: Cloud, model: string, now: Date): Promise<readonly AtWork[]> {
  return atWork(cloud, model, now).catch((error: unknown) => notDeployed(cloud.environment, error));
}

/** The value, or what stands for it where the environment is not deployed. */
export async function whereDeployed<T>(read: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.rule === 'environment-deployed') return otherwise;
    throw error;
  }
}

async function environmentStatus(
  context: Context,
  environment: Environment,
  model: string,
): Promise<EnvironmentStatus> {
  const cloud = context.cloud(environment);
  const { ledger } = cloud;
  const [pointer, promotions, fence, runs] = await Promise.all([
    readPointer(ledger, model),
    readPromotions(ledger, model),
    readFence(ledger, model),
    readRuns(ledger, model),
  ]);
  const open = promotions.filter(({ status }) => isOpen(status));
  const waiting = await Promise.all(
    open.map(async (promotion): Promise<OpenPromotion> => {
      const waitsFor = await lackingApprovals(ledger, promotion, context.now());
      const { promotion: name, version, status, requestedBy } = promotion;
      return {
        promotion: name,
        version,
        status,
        requestedBy,
        waitsFor,
        ...(status === 'in-canary' ? { watched: watchedText(promotion, pointer, context.now()) } : {}),
        until: untilOf(promotion, pointer),
      };
    }),
  );
  const base = { environment, isDeployed: true, promotions: waiting };
  if (pointer === undefined) return base;
  const [manifests, level, rollbackReadiness] = await Promise.all([
    whereDeployed(readPredictions(ledger, model), []),
    whereDeployed(levelIfKnown(cloud, model, context.now()), 'predictions are not deployed'),
    readinessThere(ledger, model, pointer, context.now()),
  ]);
  return {
    ...base,
    level,
    rollbackReadiness,
    version: pointer.version,
    release: pointer.current,
    pointerStatus: pointer.status,
    ...(pointer.until === null ? {} : { until: pointer.until }),
    ...(pointer.until !== null && Date.parse(pointer.until) < context.now().getTime() ? { isOverdue: true } : {}),
    ...newestReview(runs, pointer.epoch),
    ...newestDrift(runs),
    ...newestAnswers(runs),
    ...(pointer.pendingPropagation === null ? {} : { pendingPropagation: pointer.pendingPropagation }),
    since: pointer.at,
    lastConfirmed: pointer.lastConfirmed?.version ?? null,
    predictions: {
      partitions: manifests.length,
      newest: manifests.at(-1)?.day ?? null,
      outdated: manifests.filter((manifest) => manifest.release !== pointer.current).length,
      isReconciling: (fence?.running ?? null) !== null,
    },
  };
}

/** When an open promotion ends of itself: by its canary's plan, its people's time, or its own. */
function untilOf({ promotion, status, approvalRequest, deadline }: Promotion, pointer: Pointer | undefined): string {
  const plan = pointer?.traffic.plan;
  if (status === 'in-canary') return plan?.promotion === promotion ? plan.until : deadline;
  return approvalRequest?.expiresAt ?? deadline;
}

/** The newest review of what the pointer names in this epoch, if there was one. */
function newestReview(runs: readonly Run[], ofEpoch: number): Pick<EnvironmentStatus, 'review'> {
  const found = runs.find(({ machine, epoch, review }) => machine === 'probation' && epoch === ofEpoch && review);
  if (found?.review === undefined) return {};
  const { run, asOf, status, review } = found;
  return { review: { run, asOf, status, ...review } };
}

/** What was answered on request, by the newest run that measured it. */
function newestAnswers(runs: readonly Run[]): Pick<EnvironmentStatus, 'answers'> {
  const found = runs.find(({ answers }) => answers !== undefined);
  const days = (found?.answers?.days ?? []).toSorted((a, b) => (a.day < b.day ? 1 : -1));
  const reason = found?.answers?.reason ?? '';
  return days.length === 0 && reason === '' ? {} : { answers: { asOf: found?.asOf, days, reason } };
}

/** The newest check of drift, with the stable inputs that have moved. */
function newestDrift(runs: readonly Run[]): Pick<EnvironmentStatus, 'drift'> {
  const found = runs.find(({ machine }) => machine === 'drift');
  if (found === undefined) return {};
  const { run, asOf, status } = found;
  const check = DriftCheck.safeParse(found.drift).data;
  const moved = (check?.inputs.measured ?? []).filter(
    ({ isStable, index }) => isStable && index > (check?.limits.index ?? 1),
  );
  return { drift: { run, asOf, status, moved: moved.map(({ input, index }) => `${input} ${index.toPrecision(3)}`) } };
}

/** The newest releases with the stages that they have reached. */
export async function releaseStatuses(
  context: Context,
  model: string,
  newest: number,
): Promise<readonly ReleaseStatus[]> {
  const dev = context.cloud('dev').ledger;
  const registrations = (await whereDeployed(readRegistrations(dev, model), [])).slice(0, newest);
  if (registrations.length === 0) return [];
  const [chain, runs] = await Promise.all([readRecords(dev, model), readRuns(dev, model)]);
  const rejected = new Set(runs.filter((run) => run.status === 'rejected').map((run) => run.run));
  const offered = new Set(
    chain.filter(({ record }) => record.code === 'RELEASE_OFFERED').map(({ record }) => record.release),
  );
  const [staging, prod] = await Promise.all(
    SERVING.map((environment) => whereDeployed(servingFacts(context, environment, model), undefined)),
  );
  return registrations.map((registration) => {
    const { release, version, kind, at } = registration;
    const stage = stageOf({
      isOffered: offered.has(release),
      isRejectedInDev: rejected.has(registration.run) && !offered.has(release),
      isQuarantined: [staging, prod].some((facts) => facts?.quarantined.has(release) === true),
      staging: factsOf(staging, registration, staging?.carried),
      prod: factsOf(prod, registration, prod?.promoted),
    });
    return { version, release, kind, stage, owner: STAGES[stage].owner, at };
  });
}
