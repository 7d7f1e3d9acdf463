// The machines `promotion` and `rollback`, one state at a time: between two states anything may happen.
import { memoryKeys } from '#adapters/memory/keys.ts';
import { KEY_ALIASES, KEY_STATES, READABLE, VERIFIED } from '#test/use-cases/_environments.ts';
import { compareWithChampion, evaluateGates } from '#use-cases/gates/judge-gates.ts';
import { commitPromotion } from '#use-cases/promotion/commit-promotion.ts';
import { recordFailure, refusePromotion } from '#use-cases/promotion/end-promotion.ts';
import { openPromotion } from '#use-cases/promotion/open-promotion.ts';
import { planRollbackTarget } from '#use-cases/promotion/plan-rollback-target.ts';
import { prepareRollbackTarget } from '#use-cases/promotion/prepare-rollback-target.ts';
import { requestApprovals } from '#use-cases/promotion/request-approvals.ts';
import { verifyServing } from '#use-cases/promotion/verify-serving.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { openIncident } from '#use-cases/incidents/open-incident.ts';
import { recordRefusal } from '#use-cases/rollback/record-refusal.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import type { Task } from '#use-cases/task.ts';
import { MEASURES, MODEL, TRAINED, versions } from './_fixtures.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { Item } from '#domain/ledger/item.ts';
import type { Environment, Execution, World } from './_environments.ts';

/** What a task answered, as far as a machine branches on it. */
interface Answer {
  readonly status: string;
  readonly refusal?: Refusal;
  readonly [name: string]: unknown;
}

/** How often a state is tried before its fault is recorded. */
const TRIES = 4;

/** Whether an execution has come to its end. */
export const isDone = ({ state }: Execution): boolean => state === 'done';

/** Takes an execution one state further; a fault leaves it where it is, and the next time it tries again. */
export async function step(world: World, environment: Environment, execution: Execution, how: number): Promise<void> {
  const move = execution.machine === 'promotion' ? stepPromotion : stepRollback;
  try {
    await move(world, environment, execution, how);
    execution.tries = 0;
  } catch (error) {
    execution.tries += 1;
    if (execution.tries >= TRIES) execution.state = 'Record failure';
    throw error;
  }
}

type Requested = Readonly<Record<'release' | 'version', string>>;

async function stepPromotion(world: World, environment: Environment, execution: Execution, how: number): Promise<void> {
  const { deps } = environment;
  const request = environment.inner.items.get(`PROMOTION_REQUEST#${MODEL} ${execution.name}`) ?? {};
  const release = (request as Item)['release'];
  const named = { model: MODEL, promotion: execution.name };
  const call = async (task: Task, more: object = {}): Promise<Answer> => (await task({ ...named, ...more })) as Answer;
  const refuse = (
    refusal: Refusal = { rule: 'promotion-turn', found: 'refused', remedy: 'request it again' },
  ): void => {
    execution.found = { ...execution.found, refusal };
    execution.state = 'Refuse promotion';
  };
  const goOn = (answer: Answer, good: string, next: string): void => {
    if (answer.status === good) execution.state = next;
    else refuse(answer.refusal);
  };
  const comparison =
    (request as Item)['transition'] === 'initial'
      ? { status: 'no-champion', reasons: ['no champion'] }
      : { status: 'measured', measure: MEASURES[how % MEASURES.length] };
  switch (execution.state) {
    case 'Open promotion': {
      const { startedAt } = execution;
      const answer = await call(openPromotion(deps), { execution: `arn:${execution.name}`, startedAt });
      execution.found = { ...execution.found, approvals: answer['approvals'], seconds: answer['approvalSeconds'] };
      if (answer.status !== 'waiting') goOn(answer, 'opened', 'Compare with champion');
      return;
    }
    case 'Compare with champion':
      execution.found = { ...execution.found, comparison: execution.found['comparison'] ?? comparison };
      return goOn(await call(compareWithChampion(deps), execution.found), 'passed', 'Evaluate gates');
    case 'Evaluate gates': {
      const problem = release === TRAINED[7] ? 'is damaged' : null;
      const verification = { release, checks: [{ check: 'files', problem }] };
      const next = execution.found['approvals'] === 'none' ? 'Prepare rollback target' : 'Request approvals';
      return goOn(await call(evaluateGates(deps), { ...execution.found, verification }), 'passed', next);
    }
    case 'Request approvals':
      // A repetition waits with a token of its own; the one before is dead.
      execution.token = `${execution.name}-${execution.tries}`;
      execution.found = { ...execution.found, until: world.clock.at + Number(execution.found['seconds']) * 1000 };
      await call(requestApprovals(deps), { token: execution.token });
      execution.state = 'Approved?';
      return;
    case 'Approved?':
      if (execution.answer?.status === 'approved') execution.state = 'Prepare rollback target';
      else if (execution.answer !== undefined) refuse(execution.answer.refusal);
      else if (world.clock.at >= Number(execution.found['until'])) {
        execution.token = undefined;
        refuse({ rule: 'approval-expired', found: 'nobody decided', remedy: 'request it again' });
      }
      return;
    case 'Prepare rollback target': {
      const planned = await planRollbackTarget(deps)(named);
      const ready = prepareRollbackTarget({ ...deps, versions, keys: memoryKeys(KEY_STATES), aliases: KEY_ALIASES });
      const found = { planned, verification: { checks: VERIFIED }, data: { kinds: READABLE } };
      return goOn(await call(ready, found), 'ready', 'Commit promotion');
    }
    case 'Commit promotion':
      return goOn(await call(commitPromotion(deps), { latency: null }), 'committed', 'Verify serving');
    case 'Verify serving':
      await call(verifyServing(deps), { release });
      execution.state = 'done';
      return;
    case 'Refuse promotion':
      await call(refusePromotion(deps), { refusal: execution.found['refusal'] });
      execution.state = 'done';
      return;
    default:
      await call(recordFailure(deps), { error: { Error: 'Runtime', Cause: 'a state failed' } });
      execution.state = 'done';
  }
}

async function stepRollback(_: World, { deps }: Environment, execution: Execution): Promise<void> {
  const { input, found } = execution;
  const call = async (task: Task, more: object = {}): Promise<Answer> => (await task({ ...input, ...more })) as Answer;
  const refuse = (refusal: Refusal = { rule: 'rollback-from', found: 'it has moved', remedy: 'look again' }): void => {
    execution.found = { ...found, refusal };
    execution.state = 'Record refusal';
  };
  switch (execution.state) {
    case 'Switch pointer': {
      const answer = await call(switchPointer(deps), { to: null });
      execution.found = { ...found, target: answer };
      if (answer.status === 'switched') execution.state = 'Verify serving';
      else refuse(answer.refusal);
      return;
    }
    case 'Verify serving':
      execution.found = {
        ...found,
        serving: await call(verifyServing(deps), { release: (found['target'] as Requested).release }),
      };
      execution.state = 'Open incident';
      return;
    case 'Open incident': {
      await call(openIncident(deps), { serving: found['serving'] });
      execution.state = 'done';
      return;
    }
    case 'Record refusal':
      await call(recordRefusal(deps), { refusal: found['refusal'] });
      execution.state = 'done';
      return;
    default:
      await call(recordRunFailure(deps), {
        machine: 'rollback',
        run: execution.name,
        error: { Error: 'Runtime', Cause: 'a state failed' },
      });
      execution.state = 'done';
  }
}
