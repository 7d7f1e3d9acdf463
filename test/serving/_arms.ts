import type { Arm } from '#domain/canary/counts.ts';
import { divideTraffic, type Pointer, type TrafficPlan, undivided } from '#domain/promotion/pointer.ts';
import { assignedArm, type CalledArm } from '#domain/promotion/traffic.ts';
import { readPointer } from '#read-model/pointer.ts';
import { armCore } from '#serving/arm-core.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { inputs, serving } from './_endpoint.ts';

export const HOUR = 3_600_000;
const BY = { fencingToken: 2, writtenBy: 'test' };

/** An endpoint whose traffic is divided, and the functions of its arms; the champion gives 0.1, the candidate 0.2. */
export async function divided(change: Partial<TrafficPlan> = {}) {
  const here = await serving();
  const candidate = await here.release('release 200');
  const iso = (at: number): string => new Date(at).toISOString();
  const plan: TrafficPlan = {
    kind: 'canary',
    promotion: 'promotion-1',
    candidate,
    version: '0.2.0',
    assignment: 'event',
    salt: 'salt',
    armMs: 400,
    startedAt: iso(here.clock.at),
    until: iso(here.clock.at + HOUR),
    ...change,
  };
  const pointer = async (): Promise<Pointer> => {
    const found = await readPointer(here.prod.ledger, MODEL);
    if (found === undefined) throw new Error('there is no pointer');
    return found;
  };
  /** Divides the traffic by a plan, or ends the one that there is. */
  const divide = async (by: TrafficPlan | undefined, share = 0.25): Promise<void> => {
    const previous = await pointer();
    const { current } = previous;
    const three = [
      { arm: 'champion' as const, release: current, share: 1 - 2 * share },
      { arm: 'candidate' as const, release: candidate, share },
      { arm: 'control' as const, release: current, share },
    ];
    const arms = by === undefined || by.kind === 'blue-green' ? undivided(current) : three;
    await here.put(divideTraffic(previous, by === undefined ? { arms } : { arms, plan: by }, BY));
  };
  await divide(plan);
  const { log: _, arms: _arms, metrics: _metrics, ...parts } = here.serving;
  const core = (arm: CalledArm) => armCore(parts, arm);
  const cores = { candidate: core('candidate'), control: core('control') };
  const asked: CalledArm[] = [];
  for (const arm of ['candidate', 'control'] as const)
    here.arms[arm] = async (payload) => {
      asked.push(arm);
      return (await cores[arm].answer(payload)).answer;
    };
  const divisible = await pointer();
  /** The id of an event that is assigned to an arm. */
  const idFor = (arm: Arm, skip = 0): string => {
    const ids = Array.from({ length: 500 }, (_each, index) => `event-${index}`);
    const now = new Date(plan.startedAt);
    const own = ids.filter((event) => assignedArm(divisible, { event, entity: null }, now) === arm);
    return own[skip] ?? '';
  };
  return {
    ...here,
    candidate,
    plan,
    pointer,
    divide,
    core,
    cores,
    asked,
    idFor,
    /** Sends a request of an event that is assigned to an arm. */
    ask: (arm: Arm, rest: object = {}) => here.infer(inputs([{ id: idFor(arm) }]), rest),
    /** What was measured last. */
    measured: () => here.metrics.emitted.at(-1),
  };
}

export type Divided = Awaited<ReturnType<typeof divided>>;

/** A call of an arm, as an endpoint makes it. */
export function armCall(pointerSeq: number, startedAt: number, change: object = {}): object {
  return {
    formatVersion: 1,
    id: 'call 1',
    pointerSeq,
    startedAt: new Date(startedAt).toISOString(),
    body: JSON.stringify({ inputs: inputs() }),
    ...change,
  };
}
