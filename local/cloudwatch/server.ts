import { Hono } from 'hono';
import { callerAccount } from '../emulator/caller.ts';
import { Alarms } from './alarms.ts';
import { ALARM_STATES } from './evaluate.ts';
import { metricData } from './metric-data.ts';
import { apiMetrics, embeddedMetrics, executionMetrics, Records } from './records.ts';
import * as requests from './requests.ts';
import { MetricStore } from './store.ts';
import type { TimeScale } from './time-scale.ts';
import { type Answer, ApiError, jsonRequest, protocolOf, readCall, writeAnswer } from './wire.ts';

export interface CloudWatchContext {
  /** The emulator's endpoint: it has the alarms, and all that is not served here. */
  readonly endpoint: string;
  readonly region: string;
  readonly scale: TimeScale;
  readonly say: (message: string) => void;
  readonly now: () => number;
}

/** The subset of CloudWatch: its HTTP interface, its metrics, and the evaluation of all alarms. */
export interface CloudWatch {
  readonly app: Hono;
  readonly store: MetricStore;
  readonly evaluate: () => Promise<void>;
}

/** Operations on metrics that the emulator would answer from its own, of which there are none. */
const NOT_SERVED = new Set(['GetMetricStatistics', 'ListMetrics', 'GetMetricWidgetImage', 'GetInsightRuleReport']);

interface Caller {
  readonly account: string;
  readonly authorization: string;
  readonly token: string | undefined;
}

/** Makes the subset of CloudWatch that is served behind its wire protocols (AWS JSON 1.0 and RPC v2 CBOR). */
export function createCloudWatch(context: CloudWatchContext): CloudWatch {
  const { endpoint, scale, say, now } = context;
  // No period is shorter than a second.
  const store = new MetricStore(1000 / scale.factor);
  const alarms = new Alarms({ ...context, store });
  const accountOf = callerAccount(context);
  let accounts: readonly string[] = [];

  const forward = async (operation: string, input: unknown, { authorization, token }: Caller): Promise<unknown> => {
    const response = await fetch(endpoint, jsonRequest(operation, input, authorization, token));
    const output: unknown = JSON.parse((await response.text()) || '{}');
    if (response.ok) return output;
    const { __type: code, message } = output as { readonly __type?: string; readonly message?: string };
    throw new ApiError(code ?? 'InternalFailure', message ?? '', response.status);
  };

  const setAlarmState = async (input: unknown, caller: Caller): Promise<unknown> => {
    const { AlarmName = '', StateValue, StateReason = '', StateReasonData } = input as Readonly<Record<string, string>>;
    const state = ALARM_STATES.find((each) => each === StateValue);
    if (state === undefined) throw new ApiError('ValidationError', `StateValue: ${StateValue} is no state of an alarm`);
    const alarm = await alarms.find(caller.account, AlarmName);
    const output = await forward('SetAlarmState', input, caller);
    if (alarm !== undefined && alarm.StateValue !== state)
      void alarms.act({
        account: caller.account,
        alarm,
        state,
        reason: StateReason,
        reasonData: StateReasonData,
        at: now(),
      });
    return output;
  };

  const answer = async (operation: string, input: unknown, caller: Caller): Promise<unknown> => {
    switch (operation) {
      case 'PutMetricData': {
        const request = requests.parseRequest(requests.PutMetricData, input);
        for (const { metric, sample } of requests.measuredBy(request, now())) store.add(caller.account, metric, sample);
        return {};
      }
      case 'GetMetricData':
        return metricData(store, scale, caller.account, requests.parseRequest(requests.GetMetricData, input));
      case 'SetAlarmState':
        return setAlarmState(input, caller);
      default:
        if (NOT_SERVED.has(operation))
          throw new ApiError(
            'InvalidAction',
            `the local CloudWatch does not serve ${operation}; GetMetricData reads metrics`,
          );
        return forward(operation, input, caller);
    }
  };

  const app = new Hono();
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.post('/_local/records', async (context) => {
    const records = Records.safeParse(await context.req.json());
    if (!records.success) return context.text(records.error.message, 400);
    ({ accounts } = records.data);
    const recorded = [
      ...records.data.executions.flatMap(executionMetrics),
      ...records.data.executions.flatMap((execution) => embeddedMetrics(execution, now(), say)),
      ...records.data.requests.flatMap(apiMetrics),
    ];
    for (const { account, metric, sample } of recorded) store.add(account, metric, sample);
    return context.body(null, 200);
  });
  app.all('*', async (context) => {
    const header = (name: string): string | undefined => context.req.header(name);
    const protocol = protocolOf(header);
    if (protocol === undefined)
      return context.text('the local CloudWatch speaks AWS JSON 1.0 and RPC v2 CBOR, as current SDKs do', 400);
    const send = ({ body, status, headers }: Answer): Response => new Response(body, { status, headers });
    let operation = '';
    try {
      const call = readCall(protocol, context.req.path, header, new Uint8Array(await context.req.arrayBuffer()));
      ({ operation } = call);
      const [authorization, token] = [header('authorization') ?? '', header('x-amz-security-token')];
      const account = await accountOf(authorization, token);
      if (account === undefined)
        throw new ApiError('MissingAuthenticationToken', 'the request is not signed by a key of an account', 403);
      const output = await answer(operation, call.input, { account, authorization, token });
      return send(writeAnswer(protocol, 200, output));
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError('InternalFailure', String(error), 500);
      if (known !== error) say(`${operation}: ${String(error)}`);
      const document = { __type: known.code, message: known.message };
      return send(writeAnswer(protocol, known.status, document, known));
    }
  });

  const evaluate = async (): Promise<void> => {
    for (const account of accounts) await alarms.evaluate(account, now());
  };
  return { app, store, evaluate };
}
