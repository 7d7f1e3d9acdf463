import {
  CloudWatchClient,
  paginateDescribeAlarms,
  SetAlarmStateCommand,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import { invokeActions, type Transition } from './actions.ts';
import { evaluateAt, evaluationInterval, watched, type WatchedAlarm } from './alarm.ts';
import type { AlarmState } from './evaluate.ts';
import type { MetricStore } from './store.ts';
import type { TimeScale } from './time-scale.ts';

export interface AlarmsContext {
  readonly store: MetricStore;
  readonly scale: TimeScale;
  /** The emulator's, which has the deployed alarms and their states. */
  readonly endpoint: string;
  readonly region: string;
  readonly say: (message: string) => void;
}

/** In a fast scale several evaluations fall between two looks at the alarms; more than these are passed over. */
const CAUGHT_UP = 500;

/** The alarms that are deployed to the emulator, evaluated by CloudWatch's rules. */
export class Alarms {
  readonly #context: AlarmsContext;
  /** By account, name and configuration: until when an alarm has been evaluated. */
  readonly #evaluated = new Map<string, number>();
  readonly #said = new Set<string>();

  constructor(context: AlarmsContext) {
    this.#context = context;
  }

  /** Does each evaluation of an account's alarms that has become due; one that fails is said once, and tried again. */
  async evaluate(account: string, now: number): Promise<void> {
    for await (const { MetricAlarms } of paginateDescribeAlarms({ client: this.#client(account) }, {}))
      for (const alarm of MetricAlarms ?? [])
        try {
          await this.#evaluate(account, alarm, now);
        } catch (error) {
          this.#sayOnce(`the alarm ${alarm.AlarmName} of ${account} could not be evaluated: ${String(error)}`);
        }
  }

  /** An alarm of an account, by its name. */
  async find(account: string, name: string): Promise<MetricAlarm | undefined> {
    const query = { AlarmNames: [name] };
    for await (const { MetricAlarms } of paginateDescribeAlarms({ client: this.#client(account) }, query))
      for (const alarm of MetricAlarms ?? []) return alarm;
    return undefined;
  }

  /** Invokes the functions of a transition that has happened. */
  async act(transition: Omit<Transition, 'region'>): Promise<void> {
    const { endpoint, region, say } = this.#context;
    await invokeActions(endpoint, { ...transition, region }, say);
  }

  async #evaluate(account: string, alarm: MetricAlarm, now: number): Promise<void> {
    const rule = watched(alarm);
    if (typeof rule === 'string') {
      this.#sayOnce(`the alarm ${alarm.AlarmName} of ${account} is not evaluated: ${rule}`);
      return;
    }
    const { store, scale } = this.#context;
    const interval = evaluationInterval(rule.rule);
    const last = Math.floor(scale.scaled(now) / interval) * interval;
    const key = JSON.stringify([account, rule.name, rule.metric, rule.unit, rule.rule]);
    const evaluated = this.#evaluated.get(key);
    if (evaluated !== undefined && evaluated >= last) return;
    const first = Math.max((evaluated ?? last - interval) + interval, last - CAUGHT_UP * interval);
    let current: { readonly alarm: MetricAlarm; readonly state: AlarmState } = { alarm, state: rule.state };
    for (let end = first; end <= last; end += interval) {
      const verdict = evaluateAt(store, scale, account, rule, end, current.state);
      if (verdict.state !== current.state) current = await this.#change(account, rule, current.alarm, verdict, now);
      this.#evaluated.set(key, end);
    }
  }

  async #change(
    account: string,
    { name }: WatchedAlarm,
    alarm: MetricAlarm,
    { state, reason, reasonData }: { readonly state: AlarmState; readonly reason: string; readonly reasonData: string },
    now: number,
  ): Promise<{ readonly alarm: MetricAlarm; readonly state: AlarmState }> {
    // The API takes no more than these.
    const StateReason = reason.slice(0, 1023);
    const StateReasonData = reasonData.length > 4000 ? undefined : reasonData;
    await this.#client(account).send(
      new SetAlarmStateCommand({ AlarmName: name, StateValue: state, StateReason, StateReasonData }),
    );
    this.#context.say(`${account} ${name}: ${alarm.StateValue} -> ${state}: ${reason}`);
    // Other alarms do not wait for functions.
    void this.act({ account, alarm, state, reason: StateReason, reasonData: StateReasonData, at: now });
    return {
      alarm: { ...alarm, StateValue: state, StateReason, StateReasonData, StateUpdatedTimestamp: new Date(now) },
      state,
    };
  }

  #client(account: string): CloudWatchClient {
    const { endpoint, region } = this.#context;
    return new CloudWatchClient({ endpoint, region, credentials: { accessKeyId: account, secretAccessKey: 'test' } });
  }

  #sayOnce(message: string): void {
    if (!this.#said.has(message)) this.#context.say(message);
    this.#said.add(message);
  }
}
