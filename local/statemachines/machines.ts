import { readFileSync } from 'node:fs';
import { z } from 'zod';

const FOLDER = new URL('../../statemachines/', import.meta.url);

/** What Amazon States Language is used for here, and nothing else: a field that is not named is refused. */
const shared = { Comment: z.string().optional() };
const Parameters = z.record(z.string(), z.json());
const Retry = z.strictObject({
  ErrorEquals: z.array(z.string()).min(1),
  IntervalSeconds: z.int(),
  MaxAttempts: z.int(),
  MaxDelaySeconds: z.int().optional(),
  BackoffRate: z.number(),
  JitterStrategy: z.literal('FULL'),
});
const Catch = z.strictObject({ ErrorEquals: z.array(z.string()).min(1), ResultPath: z.string(), Next: z.string() });
const flow = {
  ResultPath: z.string().nullable().optional(),
  Next: z.string().optional(),
  End: z.literal(true).optional(),
};
const Task = z.strictObject({
  ...shared,
  ...flow,
  Type: z.literal('Task'),
  Resource: z.string(),
  Parameters,
  ResultSelector: Parameters.optional(),
  TimeoutSeconds: z.int().positive().optional(),
  TimeoutSecondsPath: z.string().optional(),
  Retry: z.array(Retry).optional(),
  Catch: z.array(Catch).optional(),
});
const Choice = z.strictObject({
  ...shared,
  Type: z.literal('Choice'),
  Choices: z.array(z.strictObject({ Variable: z.string(), StringEquals: z.string(), Next: z.string() })).min(1),
  Default: z.string(),
});
const Pass = z.strictObject({ ...shared, ...flow, Type: z.literal('Pass'), Parameters: Parameters.optional() });
const Wait = z.strictObject({
  ...shared,
  Type: z.literal('Wait'),
  Seconds: z.int().positive().optional(),
  SecondsPath: z.string().optional(),
  Next: z.string(),
});
const Succeed = z.strictObject({ ...shared, Type: z.literal('Succeed') });
const Fail = z.strictObject({ ...shared, Type: z.literal('Fail'), Error: z.string(), Cause: z.string() });
const Leaf = z.discriminatedUnion('Type', [Task, Choice, Pass, Wait, Succeed, Fail]);
const MapState = z.strictObject({
  ...shared,
  ...flow,
  Type: z.literal('Map'),
  ItemsPath: z.string(),
  MaxConcurrency: z.int().positive(),
  ToleratedFailurePercentage: z.literal(0).optional(),
  ItemProcessor: z.strictObject({
    ProcessorConfig: z.union([
      z.strictObject({ Mode: z.literal('INLINE') }),
      z.strictObject({ Mode: z.literal('DISTRIBUTED'), ExecutionType: z.literal('STANDARD') }),
    ]),
    StartAt: z.string(),
    States: z.record(z.string(), Leaf),
  }),
  Catch: z.array(Catch).optional(),
});
const State = z.discriminatedUnion('Type', [Task, Choice, Pass, Wait, Succeed, Fail, MapState]);
const Machine = z.strictObject({ Comment: z.string(), StartAt: z.string(), States: z.record(z.string(), State) });

export type State = z.infer<typeof State>;
export type TaskState = z.infer<typeof Task>;
export type Machine = z.infer<typeof Machine>;
export type States = Readonly<Record<string, State>>;

/** The text of a machine. */
export function textOf(machine: string): string {
  return readFileSync(new URL(`${machine}.asl.json`, FOLDER), 'utf8');
}

/** A machine, compared with the subset of the language that is used. */
export function machine(name: string): Machine {
  return Machine.parse(JSON.parse(textOf(name)));
}

/** The machine that a Task starts and waits for. */
export function childOf(state: TaskState): string | undefined {
  if (!state.Resource.startsWith('arn:aws:states:::states:startExecution')) return undefined;
  const placeholder = /^\$\{(\w+)Machine\}$/.exec(z.string().parse(state.Parameters['StateMachineArn']))?.[1] ?? '';
  return placeholder.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
