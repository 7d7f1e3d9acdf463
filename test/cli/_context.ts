import { join } from 'node:path';
import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { ExecutionDoesNotExist, type HistoryEvent } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import type { Cloud } from '#cli/cloud.ts';
import type { Context } from '#cli/context.ts';
import { UsageError } from '#cli/refusal.ts';
import { chosenEnvironment } from '#cli/execute.ts';
import type { Executions } from '#cli/progress/history.ts';
import { type Format, render, type Report } from '#cli/report.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Item as LedgerItem } from '#domain/ledger/item.ts';

import type { ArtifactStore } from '#ports/artifact-store.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';

/** A context whose clouds are ledgers in memory; a command's results are kept. */
export function testContext(
  given: Readonly<Record<string, unknown>>,
  options: {
    readonly env?: string;
    readonly models?: readonly string[];
    readonly home?: string;
    /** What the stacks say, by the names of their outputs. */
    readonly outputs?: Readonly<Record<string, string>>;
  } = {},
) {
  const ledgers = new Map<Environment, ReturnType<typeof memoryLedger>>();
  const ledgerOf = (environment: Environment) => {
    const ledger = ledgers.get(environment) ?? memoryLedger();
    ledgers.set(environment, ledger);
    return ledger;
  };
  /** What goes on in an environment: executions with the histories that a test gives them, by their ARNs. */
  const executions = new Map<Environment, Map<string, FakeExecution>>();
  const executionsOf = (environment: Environment): Map<string, FakeExecution> => {
    const found = executions.get(environment) ?? new Map<string, FakeExecution>();
    executions.set(environment, found);
    return found;
  };
  const stores = new Map<Environment, ArtifactStore>();
  const releasesOf = (environment: Environment): ArtifactStore => {
    const found = stores.get(environment) ?? memoryArtifactStore();
    stores.set(environment, found);
    return found;
  };
  /** The documents and the request log of each environment's lake. */
  const lakes = new Map<Environment, Lake>();
  const lakeOf = (environment: Environment): Lake => {
    const found = lakes.get(environment) ?? { documents: memoryArtifactStore(), requests: memoryRequestStore() };
    lakes.set(environment, found);
    return found;
  };
  const printed: Report[] = [];
  const notes: string[] = [];
  const context: Context = {
    config,
    terminal: process,
    home: options.home ?? '.gatehouse',
    modelFolders: options.models ?? ['models'],
    governance: join(import.meta.dirname, '../../governance'),
    profile: undefined,
    wait: true,
    isEnvironmentNamed: options.env !== undefined,
    now: () => new Date('2026-03-02T12:00:00.000Z'),
    cloud: (environment) =>
      ledgerOnly(
        environment,
        ledgerOf(environment),
        executionsOf(environment),
        releasesOf(environment),
        lakeOf(environment),
        options.outputs,
      ),
    environment: (allowed, fallback) => chosenEnvironment(options.env, allowed, fallback),
    print: (report) => void printed.push(report),
    note: (text) => void notes.push(text),
    showing: (_title, work) => work((_picture, news) => void notes.push(...news)),
    confirm: () => Promise.resolve(),
    ask: () => Promise.reject(new UsageError('no terminal')),
    input: (schema) => schema.parse(given),
  };
  return {
    context,
    ledgerOf,
    releasesOf,
    lakeOf,
    /** Has a cloud be what a test of use-cases has made of an environment. */
    adopt(
      environment: Environment,
      made: {
        readonly ledger: ReturnType<typeof memoryLedger>;
        readonly releases: ArtifactStore;
        readonly documents: ArtifactStore;
      },
    ): void {
      ledgers.set(environment, made.ledger);
      stores.set(environment, made.releases);
      lakes.set(environment, { ...lakeOf(environment), documents: made.documents });
    },
    executionsOf,
    notes,
    text: (format: Format = 'table') => printed.map((report) => render(report, format)).join('\n'),
  };
}

/** What of a lake a cloud reads by its ports. */
interface Lake {
  readonly documents: ArtifactStore;
  readonly requests: ReturnType<typeof memoryRequestStore>;
}

function absent(): never {
  throw new Error('this test has a ledger only');
}

/** An execution as a test tells it: looked at once more, it is as its next look says. */
export interface FakeExecution {
  readonly input: object;
  readonly looks: { status: string; events: readonly HistoryEvent[]; output?: object }[];
}

/** Executions that are what a test says; each description takes the next look, and the last one stays. */
function fakeExecutions(known: ReadonlyMap<string, FakeExecution>): Executions {
  const looked = new Map<string, number>();
  const at = (arn: string) => {
    const found = known.get(arn);
    const look = found?.looks[Math.min((looked.get(arn) ?? 1) - 1, found.looks.length - 1)];
    if (found === undefined || look === undefined) throw new ExecutionDoesNotExist({ message: arn, $metadata: {} });
    return { ...look, input: found.input };
  };
  return {
    running: (machine) =>
      Promise.resolve(
        [...known.keys()].filter(
          (arn) =>
            arn.startsWith(`${machine.replace(':stateMachine:', ':execution:')}:`) && at(arn).status === 'RUNNING',
        ),
      ),
    async describe(arn) {
      looked.set(arn, (looked.get(arn) ?? 0) + 1);
      const { status, input, output, events } = at(arn);
      const ended = status === 'RUNNING' ? undefined : events.at(-1)?.timestamp;
      return {
        status,
        input: JSON.stringify(input),
        output: output === undefined ? undefined : JSON.stringify(output),
        startedAt: events[0]?.timestamp ?? new Date(0),
        stoppedAt: ended,
      };
    },
    history: (arn) => Promise.resolve(at(arn).events),
    mapRun: () => Promise.resolve(undefined),
  };
}

/** A cloud of which only the ledger and the executions answer. */
function ledgerOnly(
  environment: Environment,
  ledger: Cloud['ledger'],
  executions: ReadonlyMap<string, FakeExecution>,
  releases: ArtifactStore,
  lake: Lake,
  outputs?: Readonly<Record<string, string>>,
): Cloud {
  return {
    environment,
    names: namesOf(config, environment),
    isLocal: true,
    endpoint: undefined,
    ledger,
    executions: fakeExecutions(executions),
    rows: { of: absent },
    releases,
    ...lake,
    outputs: outputs === undefined ? absent : () => Promise.resolve(outputs),
    identity: () => Promise.resolve(`arn:aws:iam::${namesOf(config, environment).account}:root`),
    credentials: () => Promise.resolve({ accessKeyId: namesOf(config, environment).account, secretAccessKey: 'test' }),
    metrics: { read: absent },
    get s3() {
      return absent();
    },
    get sfn() {
      return absent();
    },
    get sqs() {
      return absent();
    },
    get sns() {
      return absent();
    },
    get lambda() {
      return absent();
    },
    get cognito() {
      return absent();
    },
  };
}

/** Puts items into a ledger as they stand. */
export async function fill(ledger: ReturnType<typeof memoryLedger>, items: readonly object[]): Promise<void> {
  for (const [index, item] of items.entries()) {
    await ledger.transact([{ kind: 'put', item: Item.parse(item) }], `fill-${ledger.items.size}-${index}`);
  }
}

const Item = z.custom<LedgerItem>(
  (value) => typeof value === 'object' && value !== null && 'pk' in value && 'sk' in value,
);

/** Environments whose supervisor looked at the moment at which a test context is. */
export async function supervised(
  { context, ledgerOf }: Pick<ReturnType<typeof testContext>, 'context' | 'ledgerOf'>,
  environments: readonly Environment[] = ENVIRONMENTS,
): Promise<void> {
  const at = context.now().toISOString();
  for (const environment of environments)
    await fill(ledgerOf(environment), [{ ...keys.supervision(environment), at, since: at, schedules: [] }]);
}
