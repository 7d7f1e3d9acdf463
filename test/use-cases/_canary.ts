import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { type ArmCounts, type CanaryMinute, NOTHING } from '#domain/canary/counts.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import type { ShadowPairs } from '#domain/canary/shadow.ts';
import { ShadowReplay } from '#domain/canary/shadow-batches.ts';
import { execute, type Execution } from '#local/statemachines/interpreter.ts';
import type { CanaryRule } from '#domain/policy/canary.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { writeDocument } from '#ports/documents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { chooseSalt } from '#use-cases/canary/choose-salt.ts';
import { startCanary, stopCanary } from '#use-cases/canary/divide-traffic.ts';
import { judgeCanary } from '#use-cases/canary/judge-canary.ts';
import { judgeShadow, skipCanary } from '#use-cases/canary/judge-shadow.ts';
import { openCanary } from '#use-cases/canary/open-canary.ts';
import { planPromotedAggregates } from '#use-cases/promotion/publish-aggregates.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { answering, type MachineContext, promote } from './_machine.ts';
import { definition, deployed, type Environment, hours, MODEL, policy, SQL } from './_environments.ts';
import { scene } from './_scene.ts';

export const RULE: CanaryRule = {
  share: 0.1,
  hours: 1,
  deadlineHours: 3,
  toleratedErrorRate: 0.01,
  noErrors: false,
  assignment: 'event',
  armMs: 2000,
  closeMinutes: 2,
  staleMinutes: 15,
  power: 0.9,
  shadow: { minimumPairs: 400, decisions: false },
  shadowOnly: [{ role: 'risk', count: 1 }],
};
const { prod } = policy.transitions;
/** A policy by which prod watches candidates, for an hour. */
export const withCanary: Policy = {
  ...policy,
  transitions: {
    ...policy.transitions,
    prod: { ...prod, gates: [...prod.gates, 'canary-power', 'shadow', 'canary'], canary: RULE },
    hotfix: prod,
  },
};
const online = {
  ...definition,
  online: {
    context: [],
    maxRows: 10,
    maxAggregateAgeDays: 2,
    objectiveMs: 200,
    pointerMaxAgeSeconds: 5,
    retentionDays: 30,
  },
};

/** What an arm answers in a minute. */
export interface Rates {
  /** Requests of all arms in a minute. */
  readonly requests?: number;
  readonly candidate?: number;
  readonly champion?: number;
  readonly slow?: number;
}

/** The minutes of a canary from its start to now, each with the same counts. */
export function minutesOf(from: Date, until: Date, { requests = 200, candidate = 0, champion = 0, slow = 0 }: Rates) {
  const first = Math.ceil(from.getTime() / 60_000) * 60_000;
  const count = Math.max(0, Math.floor((until.getTime() - first) / 60_000));
  const arm = (share: number, rate: number, slowRate = 0): ArmCounts => ({
    requests: Math.round(requests * share),
    errors: Math.round(requests * share * rate),
    slow: Math.round(requests * share * slowRate),
    late: 0,
  });
  return Array.from({ length: count }, (_, index): CanaryMinute => ({
    minute: new Date(first + index * 60_000).toISOString(),
    candidate: arm(0.1, candidate, slow),
    control: arm(0.1, champion),
    champion: requests === 0 ? NOTHING : arm(0.8, champion),
  }));
}

/** What happens around a canary. */
export interface CanaryContext extends Partial<MachineContext> {
  readonly rates?: Rates;
  /** Those of the hour before, where they differ. */
  readonly earlier?: Rates;
  /** Who aborts a promotion by starting the machine. */
  readonly abort?: { readonly actor: string; readonly reason: string };
  /** What a shadow finds; null where no events are stored. */
  readonly pairs?: readonly ShadowPairs[] | null;
}

export const NO_DIFFERENCE: ShadowPairs = {
  pairs: 500,
  candidateErrors: 0,
  championErrors: 0,
  candidateActs: 0,
  championActs: 0,
  candidateSlow: 0,
  championSlow: 0,
};

/** Runs a canary by its machine; the minutes of the request log and the pairs of the shadow are given. A wait lets its time go by. */
export async function watch(
  own: Environment & { readonly clock: { at: number } },
  promotion: string,
  around: CanaryContext = {},
): Promise<Execution> {
  const { rates = {}, pairs = [NO_DIFFERENCE] } = around;
  const tasks = {
    'Open canary': openCanary(own),
    'Skip canary': skipCanary(own),
    'Replay shadow': async () => {
      if (pairs === null) return { status: 'no-events', leftOut: 3 };
      const at = own.clock.now().toISOString();
      const { current = '' } = (await readPointer(own.ledger, MODEL)) ?? {};
      const { release = current } = (await findPromotion(own.ledger, MODEL, promotion)) ?? {};
      const window = { candidate: release, champion: current, from: at, until: at };
      const replay = { formatVersion: 1, model: MODEL, ...window, batches: [...pairs] } as const;
      return { status: 'replayed', pairs: await writeDocument(own.documents, ShadowReplay, replay as never) };
    },
    'Judge shadow': judgeShadow(own),
    'Choose salt': chooseSalt({ requests: memoryRequestStore() }),
    'Start canary': startCanary(own),
    'Plan aggregates': planPromotedAggregates(own),
    'Measure canary': async (input: unknown) => {
      const { from } = input as { readonly from: string };
      // The clock goes on by what the machine has waited for.
      own.clock.at += hours(0.25);
      const until = own.clock.now();
      const minutes = minutesOf(new Date(from), until, rates);
      const measured = { formatVersion: 1, model: MODEL, from, until: until.toISOString(), minutes } as const;
      return { minutes: await writeDocument(own.documents, CanaryMinutes, measured) };
    },
    'Judge canary': judgeCanary(own),
    'Stop canary': stopCanary(own),
    'Record failure': recordRunFailure(own),
    ...around.tasks,
  };
  return execute('canary', { model: MODEL, promotion, abort: around.abort ?? null }, answering(own, tasks, around));
}

/** Staging and prod of a model that answers requests, with a champion that was trained. */
export async function canaryScene(rules: Policy = withCanary, retentionDays = online.online.retentionDays) {
  const kept = { ...online, online: { ...online.online, retentionDays } };
  const here = await scene();
  const prodOf = (changed: Policy): Environment & { readonly clock: { at: number } } => ({
    ...here.prod,
    clock: here.clock,
    deployed: { ...deployed, models: [{ definition: kept, policy: changed, sql: { ...SQL }, expectations: {} }] },
  });
  const own = prodOf(rules);
  await here.begin(own);
  const champion = await here.candidate('champion', { version: '1.0.0' });
  await traverse(own, champion, {});
  return {
    ...here,
    prod: own,
    champion,
    traverse: (made: Made, around?: CanaryContext) => traverse(own, made, around),
  };
}
type Made = Awaited<ReturnType<Awaited<ReturnType<typeof scene>>['candidate']>>;

/** Carries a release into prod, with its canary. The hour before had the requests that are given. */
async function traverse(
  own: Environment & { readonly clock: { at: number } },
  { request, name, well }: Made,
  around: CanaryContext = {},
): Promise<{
  readonly execution: Execution;
  readonly canary: Execution | undefined;
  readonly promotion: Promotion | undefined;
}> {
  let canary: Execution | undefined;
  const traffic = async (): Promise<object> => {
    const until = own.clock.now();
    const from = new Date(until.getTime() - hours(1));
    const minutes = minutesOf(from, until, { ...around.rates, ...around.earlier, candidate: 0 });
    const measured = {
      formatVersion: 1,
      model: MODEL,
      from: from.toISOString(),
      until: until.toISOString(),
      minutes,
    } as const;
    return { minutes: await writeDocument(own.documents, CanaryMinutes, measured) };
  };
  const execution = await promote(own, request, {
    ...well,
    ...around,
    tasks: { 'Measure traffic': traffic, ...around.tasks },
    children: {
      canary: async () => {
        canary = await watch(own, name, around);
        return canary;
      },
    },
  });
  return { execution, canary, promotion: await findPromotion(own.ledger, MODEL, name) };
}
