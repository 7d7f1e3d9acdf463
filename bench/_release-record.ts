// One release through the registry, act by act: Gatehouse's use-cases over DynamoDB and S3, and MLflow's nearest calls.
import { z } from 'zod';
import { memoryPublishedRecords } from '#adapters/memory/published-records.ts';
import { memoryStateMachines } from '#adapters/memory/state-machines.ts';
import { EMPTY_CHAIN, nextRecord } from '#domain/audit/chain.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { type PromotionRequest, promotionName, requestWrite } from '#domain/promotion/promotion.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { writeDocument } from '#ports/documents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { deployed, MODEL } from '#test/use-cases/_environments.ts';
import { makeRelease } from '#test/use-cases/_releases.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { compareWithChampion, evaluateGates } from '#use-cases/gates/judge-gates.ts';
import { commitPromotion } from '#use-cases/promotion/commit-promotion.ts';
import { openPromotion } from '#use-cases/promotion/open-promotion.ts';
import { requestApprovals } from '#use-cases/promotion/request-approvals.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import type { BenchStores } from './_cloud.ts';
import { milliseconds } from './_report.ts';
import type { Mlflow } from './_mlflow.ts';

/** Milliseconds of each act of one release's life. */
export interface Times {
  readonly register: number;
  readonly commit: number;
  readonly resolve: number;
  readonly rollBack: number;
  /** Registration, evidence, approvals and promotion: all that the release leaves. */
  readonly whole: number;
}

/** Takes releases, one after the other, into production and back, as prod's functions do. */
export async function gatehouseLife(stores: BenchStores): Promise<(release: number) => Promise<Times>> {
  const machines = memoryStateMachines();
  const deps = { ...stores, environment: 'prod', deployed, machines, peers: memoryPublishedRecords().peers };
  const follow = followPeer(deps);
  // What a record rests on is here before it: no peer is read for it.
  const alone = async (): Promise<void> => {};
  const measure = await writeDocument(stores.documents, StoredMeasure, fortnight(0.02));
  const enter = async (request: PromotionRequest, people: boolean) => {
    // Another environment's act, and so not part of what is measured.
    const said = releasedUpstream(stores, request);
    await follow(said.record, said.hash, alone);
    const promotion = promotionName(request);
    await stores.ledger.transact([requestWrite(request)], digestOf(`request ${promotion}`).slice(7, 40));
    const named = { model: MODEL, promotion };
    const verification = { release: request.release, checks: [{ check: 'files', problem: null }] };
    const findings = { ...named, verification, comparison: { status: 'measured', measure } };
    let record = 0;
    const startedAt = stores.clock.now().toISOString();
    record += await timed('opened', () => openPromotion(deps)({ ...named, execution: promotion, startedAt }));
    if (people) record += await timed('passed', () => compareWithChampion(deps)(findings));
    record += await timed('passed', () => evaluateGates(deps)(findings));
    if (people) {
      record += await timed('recorded', () => requestApprovals(deps)({ ...named, token: `token-${promotion}` }));
      for (const [subject, role] of [
        ['lea', 'ml-lead'],
        ['pat', 'platform'],
      ] as const) {
        const { record: decision, hash } = await decisionOf(stores, request, subject, role);
        record += await milliseconds(() => follow(decision, hash, alone));
      }
    }
    const commit = await timed('committed', () => commitPromotion(deps)({ ...named, latency: null }));
    return { record, commit };
  };
  const baseline = await makeRelease(stores.releases, 'baseline', 'baseline');
  await enter(requestOf(baseline, '0.1.0', 0, { kind: 'baseline', transition: 'initial', source: 'staging' }), false);
  return async (number) => {
    const release = await makeRelease(stores.releases, `release ${number}`);
    const metrics = { logLoss: 0.4, brier: 0.1, rows: 100_000 };
    const candidates = [{ release, window: 'all', fingerprint: release, metrics }];
    const registering = { model: MODEL, run: `run-${number}`, candidates, baseline: null };
    const register = await timed('registered', () => registerCandidates(deps)(registering));
    const { record, commit } = await enter(requestOf(release, `0.1.${number}`, number, {}), true);
    let pointer: Awaited<ReturnType<typeof readPointer>>;
    const resolve = await milliseconds(async () => {
      pointer = await readPointer(stores.ledger, MODEL);
    });
    if (pointer?.current !== release) throw new Error('the pointer names another');
    const about = { from: release, epoch: pointer.epoch, to: null };
    const back = { model: MODEL, rollback: `rollback-${number}`, actor: 'person:op', reason: 'bench', ...about };
    const rollBack = await timed('switched', () => switchPointer(deps)(back));
    return { register, commit, resolve, rollBack, whole: register + record + commit };
  };
}

const Answer = z.object({ status: z.string() });

async function expectStatus(wanted: string, answer: Promise<object>): Promise<void> {
  const said = await answer;
  if (Answer.parse(said).status !== wanted) throw new Error(`expected ${wanted}: ${JSON.stringify(said)}`);
}

function timed(wanted: string, work: () => Promise<object>): Promise<number> {
  return milliseconds(() => expectStatus(wanted, work()));
}

function requestOf(
  release: Digest,
  version: string,
  requestSeq: number,
  rest: Partial<PromotionRequest>,
): PromotionRequest {
  return {
    model: MODEL,
    release,
    version,
    kind: 'trained',
    transition: 'prod',
    requestedBy: 'person:eng',
    source: 'staging',
    requestedIn: 'control',
    requestSeq,
    record: digestOf(`record that requests ${release}`),
    asOf: '2001-01-20',
    ...rest,
  };
}

/** What staging's chain says of the release when it has promoted it. */
function releasedUpstream(stores: BenchStores, { release, kind, version, asOf, source }: PromotionRequest) {
  return nextRecord(EMPTY_CHAIN, source, MODEL, `released-${version}`, stores.clock.now(), {
    code: 'RELEASE_PROMOTED',
    actor: 'pipeline:pointer',
    release,
    details: {
      promotion: `promotion of ${version}`,
      transition: kind === 'baseline' ? 'initial' : 'staging',
      kind,
      version,
      asOf,
      replaces: null,
      pointerSeq: 1,
      epoch: 1,
      requestedBy: 'pipeline:dev',
      approvedBy: [],
    },
  });
}

/** What control's chain says of a person's decision on what is asked. */
async function decisionOf(
  stores: BenchStores,
  request: PromotionRequest,
  subject: string,
  role: 'ml-lead' | 'platform',
) {
  const name = promotionName(request);
  const promotion = await readPromotion(stores.ledger, { model: MODEL, promotion: name });
  if (promotion.approvalRequest === null) throw new Error(`no approval was requested of ${name}`);
  const now = stores.clock.now();
  return nextRecord(EMPTY_CHAIN, 'control', MODEL, `decide-${name}-${subject}`, now, {
    code: 'DECISION_MADE',
    actor: `person:${subject}`,
    release: request.release,
    details: {
      environment: 'prod',
      promotion: name,
      transition: promotion.transition,
      policy: promotion.policy,
      evidence: promotion.approvalRequest.evidence,
      subject: `person:${subject}`,
      role,
      decision: 'approve',
      comment: '',
      expiresAt: new Date(now.getTime() + 24 * 3_600_000).toISOString(),
    },
  });
}

const Nothing = z.looseObject({});
const Run = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });
const Version = z.object({ model_version: z.object({ version: z.string() }) });

/** The same by MLflow's calls; nothing in it refuses, and what stands for evidence and approvals are tags. */
export async function mlflowLife({ call }: Mlflow): Promise<(release: number) => Promise<Times>> {
  const name = MODEL;
  await call(Nothing, 'POST', 'registered-models/create', { name });
  const Experiment = z.object({ experiment_id: z.string() });
  const { experiment_id } = await call(Experiment, 'POST', 'experiments/create', { name });
  const alias = (version: string) =>
    call(Nothing, 'POST', 'registered-models/alias', { name, alias: 'champion', version });
  const tag = (version: string, key: string, value: string) =>
    call(Nothing, 'POST', 'model-versions/set-tag', { name, version, key, value });
  let champion = '';
  return async (number) => {
    let run = '';
    const logged = await milliseconds(async () => {
      const start_time = Date.now();
      run = (await call(Run, 'POST', 'runs/create', { experiment_id, run_name: `run-${number}`, start_time })).run.info
        .run_id;
      await call(Nothing, 'POST', 'runs/log-batch', {
        run_id: run,
        metrics: ['logLoss', 'brier', 'rows'].map((key) => ({ key, value: 0.4, timestamp: start_time, step: 0 })),
        params: ['window', 'seed', 'image', 'fingerprint', 'commit'].map((key) => ({
          key,
          value: `${key} of ${number}`,
        })),
        tags: [{ key: 'owner', value: 'owners' }],
      });
      await call(Nothing, 'POST', 'runs/update', { run_id: run, status: 'FINISHED', end_time: Date.now() });
    });
    let version = '';
    const register = await milliseconds(async () => {
      const source = `s3://releases/${run}/model`;
      const tags = ['window', 'fingerprint', 'creator'].map((key) => ({ key, value: `${key} of ${number}` }));
      version = (await call(Version, 'POST', 'model-versions/create', { name, source, run_id: run, tags }))
        .model_version.version;
    });
    const evidence = await milliseconds(async () => {
      for (const gate of ['released-upstream', 'release-integrity', 'metric-baseline', 'better-than-champion'])
        await tag(version, gate, 'PASS');
      for (const role of ['ml-lead', 'platform']) await tag(version, `approved.${role}`, 'person');
    });
    const commit = await milliseconds(async () => {
      await alias(version);
      await tag(version, 'promoted.by', 'person:eng');
      await tag(version, 'promoted.reason', `promotion ${number}`);
    });
    const resolve = await milliseconds(async () => {
      const found = await call(Version, 'GET', 'registered-models/alias', { name, alias: 'champion' });
      if (found.model_version.version !== version) throw new Error('the alias names another version');
    });
    if (champion === '') champion = version;
    const rollBack = await milliseconds(() => alias(champion));
    return { register, commit, resolve, rollBack, whole: logged + register + evidence + commit };
  };
}
