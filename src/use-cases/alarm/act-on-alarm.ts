import { type AlarmKind, type AutomaticRollback, automaticRollbackName, TRIGGER } from '#domain/alarm/alarm.ts';
import { type AlarmDecision, decideAlarm } from '#domain/alarm/decide.ts';
import { type Judgement, judgeSamples } from '#domain/alarm/judge-samples.ts';
import { type MeasuredEndpoint, queriesOf, windowOf } from '#domain/alarm/samples.ts';
import { ABSENT, equals, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import type { ActivePolicy } from '#domain/policy/activation.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import type { MetricData } from '#ports/metric-data.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { findAutomaticRollback } from '#read-model/alarms.ts';
import { findOperationAndHead } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface ActingOnAlarms extends Recording {
  /** The models as they are deployed. */
  readonly deployed: DeployedModels;
  readonly metrics: MetricData;
  readonly machines: Pick<StateMachines, 'start' | 'endOf'>;
}

/** An alarm that woke the trigger. */
export interface Woken {
  readonly endpoint: MeasuredEndpoint;
  readonly kind: AlarmKind;
  /** The name of the alarm. */
  readonly alarm: string;
  /** When it fired; undefined where the supervisor looks at what is in alarm. */
  readonly firedAt: Date | undefined;
}

export interface Acted {
  readonly verdict: AlarmDecision['verdict'];
  readonly found: string;
}

/**
 * Acts on an alarm: reads the metrics again, decides by the policy in force, and where they prove it starts the rollback. From the
 * decision to the switched pointer there are four calls of AWS: the record of the decision, the start, and in the machine one read and
 * one transaction.
 */
export async function actOnAlarm(deps: ActingOnAlarms, woken: Woken): Promise<Acted> {
  const { ledger, clock } = deps;
  const { endpoint, kind, firedAt } = woken;
  const { model } = endpoint;
  const now = clock.now();
  const [pointer, policy] = await Promise.all([readPointer(ledger, model), readActivePolicy(ledger, model)]);
  const rule = policy?.rules.serving;
  if (pointer === undefined || policy === undefined || rule === undefined)
    return { verdict: 'none', found: pointer === undefined ? 'nothing is served' : 'the policy in force has no rule' };
  const rollback = automaticRollbackName(model, pointer.epoch);
  const { online } = deployedModel(deps.deployed, model).definition;
  const since = { epochBegan: pointer.at, pointerMaxAgeSeconds: online?.pointerMaxAgeSeconds ?? 0 };
  const window = windowOf(kind, rule, since, now);
  if (window === undefined)
    return { verdict: 'none', found: `epoch ${pointer.epoch} has just begun, at ${pointer.at}` };
  const series = await deps.metrics.read(queriesOf(kind, endpoint), window);
  const judgement = judgeSamples(kind, rule, series);
  // Together, and last: by one call, and nothing is read between the decision and its record.
  const [automatic, place] = await Promise.all([
    findAutomaticRollback(ledger, model),
    findOperationAndHead(ledger, model, triggerOperation(rollback)),
  ]);
  const decision = decideAlarm({ pointer, policy, automatic, judgement, firedAt, now });
  if (decision.verdict !== 'roll-back') {
    await recordNothing(deps, woken, { pointer, policy, judgement, decision });
    return decision;
  }
  if (place.done === undefined) {
    const { writes, next } = triggered({ pointer, automatic, judgement, woken, now });
    const result = await recordChange(
      deps,
      {
        model,
        operation: triggerOperation(rollback),
        writes,
        event: {
          code: 'ROLLBACK_TRIGGERED',
          actor: TRIGGER,
          release: pointer.current,
          details: { ...detailsOf(woken, { pointer, policy, judgement, found: decision.found }), rollback },
        },
      },
      place,
    );
    if (result.kind === 'refused')
      return { verdict: 'none', found: `another alarm was quicker, or the pointer moved: ${next.rollback}` };
  }
  const said = automatic?.rollback === rollback ? automatic : { alarm: woken.alarm, found: decision.found };
  // Where it ends again and again the supervisor says so.
  await start(deps, pointer, rollback, said);
  return decision;
}

function triggerOperation(rollback: string): string {
  return operationName('trigger', rollback);
}

/** The writes that make a rollback the one of its epoch, and the only one of its hours. */
function triggered(of: {
  readonly pointer: Pointer;
  readonly automatic: AutomaticRollback | undefined;
  readonly judgement: Judgement;
  readonly woken: Woken;
  readonly now: Date;
}): { readonly writes: readonly Write[]; readonly next: AutomaticRollback } {
  const { pointer, automatic, judgement, woken, now } = of;
  const { model, epoch, current: release } = pointer;
  const next: AutomaticRollback = {
    formatVersion: 1,
    model,
    rollback: automaticRollbackName(model, epoch),
    release,
    epoch,
    alarm: woken.alarm,
    kind: woken.kind,
    found: judgement.found,
    values: judgement.values,
    at: now.toISOString(),
  };
  const condition = automatic === undefined ? ABSENT : equals({ rollback: automatic.rollback, at: automatic.at });
  return {
    next,
    writes: [
      { kind: 'put', item: { ...keys.automaticRollback(model), ...next, values: { ...next.values } }, condition },
      { kind: 'check', key: keys.pointer(model), condition: equals({ epoch, current: release }) },
    ],
  };
}

/** How often a rollback is started anew when its execution has ended and the pointer is where it was. */
const STARTS = 5;

async function start(
  deps: ActingOnAlarms,
  pointer: Pointer,
  rollback: string,
  said: Pick<AutomaticRollback, 'alarm' | 'found'>,
): Promise<'started' | 'stuck'> {
  // What a second start says is what the first one said: the name is the execution's, and its input as well.
  const input = {
    model: pointer.model,
    rollback,
    actor: TRIGGER,
    reason: `${said.alarm}: ${said.found}`.slice(0, 500),
    from: pointer.current,
    epoch: pointer.epoch,
    to: null,
  };
  for (let attempt = 1; attempt <= STARTS; attempt += 1) {
    const name = attempt === 1 ? rollback : `${rollback}-${attempt}`;
    if ((await deps.machines.start('rollback', name, input)) === 'started') return 'started';
    if ((await deps.machines.endOf('rollback', name)) === undefined) return 'started';
  }
  return 'stuck';
}

/** Starts a rollback that was triggered and has not switched the pointer, whatever alarms say by now; people are told where that is in vain. */
export async function resumeRollback(deps: ActingOnAlarms, model: string): Promise<void> {
  const [pointer, policy, automatic] = await Promise.all([
    readPointer(deps.ledger, model),
    readActivePolicy(deps.ledger, model),
    findAutomaticRollback(deps.ledger, model),
  ]);
  if (pointer === undefined || policy === undefined || automatic?.epoch !== pointer.epoch) return;
  const { rollback, alarm, kind, values } = automatic;
  if ((await start(deps, pointer, rollback, automatic)) === 'started') return;
  const found = `${rollback} has ended ${STARTS} times, and the pointer is where it was: roll back by hand`;
  await recordChange(deps, {
    model,
    operation: operationName('stuck', rollback),
    writes: [],
    event: {
      code: 'ROLLBACK_NOT_TRIGGERED',
      actor: TRIGGER,
      release: pointer.current,
      details: { alarm, kind, epoch: pointer.epoch, policy: policy.policy, found, values, verdict: 'page' },
    },
  });
}

interface About {
  readonly pointer: Pointer;
  readonly policy: ActivePolicy;
  readonly judgement: Judgement;
}

function detailsOf(woken: Woken, { pointer, policy, judgement, found }: About & { readonly found: string }) {
  return {
    alarm: woken.alarm,
    kind: woken.kind,
    epoch: pointer.epoch,
    policy: policy.policy,
    found: found.slice(0, 600),
    values: { ...judgement.values },
  };
}

/** Records once for each epoch and kind, and each time that an alarm fires, that nothing was rolled back. */
async function recordNothing(
  deps: ActingOnAlarms,
  woken: Woken,
  { decision, ...about }: About & { readonly decision: AlarmDecision },
): Promise<void> {
  const { verdict, found } = decision;
  if (verdict === 'roll-back') return;
  const { pointer } = about;
  await recordChange(deps, {
    model: pointer.model,
    operation: operationName(
      'alarm',
      woken.alarm,
      pointer.epoch,
      verdict,
      verdict === 'page' ? '' : (woken.firedAt?.toISOString() ?? ''),
    ),
    writes: [],
    event: {
      code: 'ROLLBACK_NOT_TRIGGERED',
      actor: TRIGGER,
      release: pointer.current,
      details: { ...detailsOf(woken, { ...about, found }), verdict },
    },
  });
}
