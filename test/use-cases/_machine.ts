import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import * as engine from '#adapters/duckdb/request-figures.ts';
import { execute, type Call, type Execution, TaskError } from '#local/statemachines/interpreter.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import type { Write } from '#domain/ledger/item.ts';
import { type PromotionRequest, promotionName, requestWrite } from '#domain/promotion/promotion.ts';
import type { RequestFiles } from '#ports/request-log.ts';
import { readPointer } from '#read-model/pointer.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { compareWithChampion, evaluateGates } from '#use-cases/gates/judge-gates.ts';
import { commitPromotion } from '#use-cases/promotion/commit-promotion.ts';
import { recordFailure, refusePromotion } from '#use-cases/promotion/end-promotion.ts';
import { openPromotion } from '#use-cases/promotion/open-promotion.ts';
import { measureLatency } from '#use-cases/promotion/measure-latency.ts';
import { planLatency } from '#use-cases/promotion/plan-latency.ts';
import { planPromotionComparison } from '#use-cases/promotion/plan-promotion-comparison.ts';
import { planRollbackTarget } from '#use-cases/promotion/plan-rollback-target.ts';
import { prepareRollbackTarget } from '#use-cases/promotion/prepare-rollback-target.ts';
import { planPromotedAggregates, publishPromotedAggregates } from '#use-cases/promotion/publish-aggregates.ts';
import { pullRelease } from '#use-cases/promotion/pull-release.ts';
import { requestApprovals } from '#use-cases/promotion/request-approvals.ts';
import { verifyRelease } from '#use-cases/verification/verify-release.ts';
import { verifyServing } from '#use-cases/promotion/verify-serving.ts';
import { openIncident } from '#use-cases/incidents/open-incident.ts';
import { recordRefusal } from '#use-cases/rollback/record-refusal.ts';
import { verifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import type { Task } from '#use-cases/task.ts';
import { bytes, type Environment, MODEL, READABLE } from './_environments.ts';

/** What happens around a machine while it runs. */
export interface MachineContext {
  /** The environment that releases come from. */
  readonly source: Environment;
  /** What the comparison with the champion measures. */
  readonly measured?: ComparisonMeasure;
  /** What stands for the use-cases of some states. */
  readonly tasks?: Readonly<Record<string, Task>>;
  /** What the endpoint has answered. */
  readonly requests?: RequestFiles;
  /** What people do when they are asked: whoever returns the token lets the machine go on. */
  readonly people?: () => Promise<void>;
  /** The execution of a machine that a state starts, by the machine's name. */
  readonly children?: Readonly<Record<string, (input: object) => Promise<Execution>>>;
  /** Something that happens before a state is entered. */
  readonly before?: (state: string) => Promise<void>;
  /** Something that happens when a task is done and before its answer arrives; what it throws loses the answer. */
  readonly after?: (state: string) => Promise<void>;
}

/** Runs a promotion by its machine, with every use-case but the building of features, which a script stands for. */
export async function promote(own: Environment, request: PromotionRequest, around: MachineContext): Promise<Execution> {
  const name = promotionName(request);
  const tasks: Record<string, Task> = {
    'Open promotion': openPromotion(own),
    'Pull release': pullRelease({ ledger: own.ledger, own: own.releases, storeOf: () => around.source.releases }),
    'Verify release': verifyRelease(own),
    'Plan comparison': planPromotionComparison(own),
    'Compare with champion': compareWithChampion(own),
    'Evaluate gates': evaluateGates(own),
    'Request approvals': requestApprovals(own),
    'Plan rollback target': planRollbackTarget(own),
    'Verify rollback target': verifyRollbackTarget(own),
    'Check source data': async () => ({ kinds: READABLE }),
    'Prepare rollback target': prepareRollbackTarget(own),
    'Plan latency': planLatency(own),
    'Measure latency': measureLatency({ engine, requests: around.requests ?? memoryRequestStore() }),
    'Plan aggregates': planPromotedAggregates(own),
    'Build aggregates': async () => ({ status: 'built', refused: null }),
    'Publish aggregates': publishPromotedAggregates(own),
    'Commit promotion': commitPromotion(own),
    'Verify serving': verifyServing(own),
    'Refuse promotion': refusePromotion(own),
    'Record failure': recordFailure(own),
    'Build daily partition': async () => ({ status: 'built', built: 1, refusals: [] }),
    'Build feature partition': async () => ({ status: 'built', built: 1, refusals: [] }),
    'Score release': async () => ({ status: 'scored', refusals: [] }),
    'Measure comparison': async () => {
      if (around.measured === undefined)
        return { status: 'insufficient', reasons: ['nothing to measure'], comparisons: [] };
      const { digest } = await own.documents.write(bytes(canonicalJson(around.measured)));
      return { status: 'measured', comparisons: [], measure: digest };
    },
    ...around.tasks,
  };
  await requested(own, request);
  return execute('promotion', { model: MODEL }, answering(own, tasks, around), name);
}

/** Opens a promotion, as its machine does, for a request that was verified. */
export async function open(
  own: Environment,
  request: PromotionRequest,
  { execution = 'execution', startedAt = '2026-03-02T09:00:00.000Z' } = {},
) {
  await requested(own, request);
  return openPromotion(own)({ model: MODEL, promotion: promotionName(request), execution, startedAt });
}

/** The environment as if `intake` had verified a request. */
export async function requested(own: Environment, request: PromotionRequest): Promise<void> {
  const { condition: _condition, ...write } = requestWrite(request) as Extract<Write, { kind: 'put' }>;
  await own.ledger.transact([write], digestOf(`request ${promotionName(request)}`).slice(7, 40));
}

/** Runs a rollback by its machine, about the epoch that the pointer is in unless it names one; the repair of predictions is another machine's. */
export async function rollBack(
  own: Environment,
  input: Record<string, unknown>,
  around: Partial<MachineContext> = {},
): Promise<Execution> {
  const epoch = (await readPointer(own.ledger, MODEL))?.epoch;
  const tasks: Record<string, Task> = {
    'Switch pointer': switchPointer(own),
    'Verify serving': verifyServing(own),
    'Open incident': openIncident(own),
    'Record refusal': recordRefusal(own),
    'Record failure': recordRunFailure(own),
  };
  return execute(
    'rollback',
    { model: MODEL, actor: 'person:op', reason: 'wrong', epoch, to: null, ...input },
    answering(own, tasks, around),
  );
}

/** What a machine's tasks answer, of these use-cases. */
export function answering(
  own: Environment,
  tasks: Readonly<Record<string, Task>>,
  { before, after, people, children }: Partial<MachineContext>,
): (call: Call) => Promise<unknown> {
  return async ({ state, payload, child, token }) => {
    await before?.(state);
    if (child !== undefined) {
      const ended = await children?.[child]?.(payload);
      if (ended?.status === 'FAILED') throw new TaskError('States.TaskFailed', ended.error ?? 'it failed');
      return { Status: 'SUCCEEDED', ExecutionArn: `arn:${child}`, Output: ended?.document ?? {} };
    }
    const run = tasks[state];
    if (run === undefined) throw new Error(`no task "${state}"`);
    if (token !== undefined) own.machines.waiting.add(token);
    let output: object;
    try {
      output = await run(payload['input']);
      await after?.(state);
    } catch (error) {
      throw new TaskError('Runtime.HandlerError', error instanceof Error ? error.message : String(error));
    }
    if (token === undefined) return JSON.parse(JSON.stringify(output)) as unknown;
    if (!own.machines.answers.has(token)) await people?.();
    const answer = own.machines.answers.get(token);
    if (answer === undefined) throw new TaskError('States.Timeout', 'nobody returned the token');
    return answer;
  };
}
