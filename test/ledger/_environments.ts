import type { ApprovalAnswer } from '#use-cases/promotion/approval-token.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { memoryDirectory } from '#adapters/memory/people.ts';
import type { Item, Write } from '#domain/ledger/item.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { Envelope } from '#domain/signature/dsse.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { Numbered, PeerRecords } from '#ports/published-records.ts';
import { type Command, ENVIRONMENTS, type Fault, type Name } from './_commands.ts';
import type { Pointer } from './_documents.ts';
import { DEPLOYED, PEOPLE, SIGNERS, START, store } from './_fixtures.ts';
import { type Reference, reference } from './_reference.ts';

/** Who follows whose chain. */
export const PEERS: Readonly<Record<Name, readonly Name[]>> = {
  dev: ['prod'],
  staging: ['dev', 'control'],
  prod: ['dev', 'staging', 'control'],
  control: ['staging', 'prod'],
};

/** An execution of a state machine: which one, for what, and where it stands. */
export interface Execution {
  readonly machine: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly startedAt: string;
  state: string;
  /** How often the state that it is in was tried. */
  tries: number;
  /** What earlier states have found. */
  found: Readonly<Record<string, unknown>>;
  token: string | undefined;
  answer: ApprovalAnswer | undefined;
}

/** What was published: an array of envelopes by their seq, and the key. */
interface Shown {
  key: string | undefined;
  records: Envelope[];
  pointers: Numbered[];
}

/** A way to break what the use-cases stand on: a mutant wraps an environment's ledger, or hears what it should not. */
export interface Mutant {
  readonly name: string;
  ledger?(ledger: Ledger, environment: Name): Ledger;
  /** What is read instead of an execution's input. */
  started?(input: Execution['input'], pointer: Pointer | undefined): Execution['input'];
}

/** Everything that there is at one moment. */
export type World = ReturnType<typeof world>;
export type Environment = World['environments'][Name];

/** What a command runs into: the fault, and how many transactions it has made. */
interface Trouble {
  readonly fault: Fault;
  readonly run: (command: Command) => Promise<void>;
  count: number;
}

/** What a world can go on from. */
interface Beginning {
  readonly clock: { readonly at: number };
  readonly shown: Readonly<Record<Name, Shown>>;
  readonly counter: { readonly value: number };
  readonly environments: Readonly<
    Record<
      Name,
      {
        readonly inner: ReturnType<typeof memoryLedger>;
        readonly executions: readonly Execution[];
        readonly hints: readonly Name[];
        readonly reference: Reference;
        readonly deps: { readonly deployed: DeployedModels };
      }
    >
  >;
}

/** Four environments with nothing in them, or in the state of another world. */
export function world(from?: Beginning, mutant?: Mutant) {
  const clock = { at: from?.clock.at ?? START, now: () => new Date(clock.at) };
  const shown = byName((name): Shown => copyOf(from?.shown[name]));
  const counter = { value: from?.counter.value ?? 0 };
  const violations: string[] = [];
  const references = byName((name): Reference => reference(name, from?.environments[name].reference));
  for (const name of ENVIRONMENTS) references[name].meet(references, violations);
  const trouble: { now: Trouble | undefined } = { now: undefined };
  const peers: PeerRecords = {
    publicKeyPem: async (name) => shown[name as Name].key,
    recordsAfter: async (name, _, seq) =>
      shown[name as Name].records.slice(seq + 1).map((envelope, index) => ({ seq: seq + 1 + index, envelope })),
    newestPointer: async (name) => shown[name as Name].pointers.at(-1),
  };

  const environment = (name: Name) => {
    const before = from?.environments[name];
    const inner = memoryLedger(before?.inner);
    const troubled: Ledger = {
      ...inner,
      async transact(writes, token) {
        const met = trouble.now;
        if (met === undefined || met.count++ !== met.fault.at) return commit(writes, token);
        trouble.now = undefined;
        if (met.fault.kind === 'crash') throw new Error('the function was ended before it wrote');
        if (met.fault.kind === 'race') await met.run(met.fault.command);
        const result = await commit(writes, token);
        if (met.fault.kind === 'answer lost') throw new Error('the answer got lost');
        return result;
      },
    };
    const tokens = new Set<string>();
    const commit = async (writes: readonly Write[], token: string) => {
      const result = await inner.transact(writes, token);
      // A repetition under the same token is answered as the first time, and changes nothing.
      if (result.kind === 'committed' && !tokens.has(token)) references[name].observe(writes, clock.at);
      if (result.kind === 'committed') tokens.add(token);
      return result;
    };
    const executions: Execution[] = (before?.executions ?? []).map((execution) => ({ ...execution }));
    const hints: Name[] = [...(before?.hints ?? [])];
    const told = new Set<number>();
    const deps = {
      environment: name,
      ledger: mutant?.ledger?.(troubled, name) ?? troubled,
      clock,
      deployed: before?.deps.deployed ?? DEPLOYED[0],
      releases: store,
      own: store,
      documents: store,
      signer: SIGNERS[name],
      peers,
      directory: memoryDirectory({ ...PEOPLE }),
      models: ['toy'],
      machines: {
        async start(machine: string, execution: string, input: object) {
          if (executions.some(({ name: taken }) => taken === execution)) return 'already-started' as const;
          executions.push({
            machine,
            name: execution,
            input:
              mutant?.started?.(input as Execution['input'], references[name].pointer) ?? (input as Execution['input']),
            startedAt: clock.now().toISOString(),
            state: machine === 'promotion' ? 'Open promotion' : 'Switch pointer',
            tries: 0,
            found: {},
            token: undefined,
            answer: undefined,
          });
          return 'started' as const;
        },
        async succeed(token: string, output: object) {
          const waiting = executions.find((execution) => execution.token === token);
          if (waiting === undefined) return 'gone' as const;
          waiting.token = undefined;
          waiting.answer = output as ApprovalAnswer;
          return 'returned' as const;
        },
        endOf: async () => undefined,
      },
      announcements: {
        // A hint only says "look"; it lies in the inbox of whoever follows until it is heard, lost or doubled.
        async announce() {
          for (const follower of ENVIRONMENTS) {
            const inbox = environments[follower].hints;
            if (PEERS[follower].includes(name) && inbox.length < 8) inbox.push(name);
          }
        },
        async emit() {},
        async alert({ seq }: { readonly seq: number }, { mayRepeat }: { readonly mayRepeat: boolean }) {
          if (told.has(seq) && !mayRepeat) violations.push(`${name}: record ${seq} is alerted a second time`);
          told.add(seq);
        },
      },
      newClaim: () => `claim-${(counter.value += 1)}`,
      published: {
        async publishKey(pem: string) {
          shown[name].key = pem;
        },
        async publishRecord(_: string, { seq, envelope }: Numbered) {
          const existing = shown[name].records[seq];
          if (existing !== undefined && existing.payload !== envelope.payload)
            violations.push(`${name}: record ${seq} is published a second time and says something else`);
          if (seq > shown[name].records.length) violations.push(`${name}: record ${seq} is published out of order`);
          shown[name].records[seq] = envelope;
        },
        async publishPointer(_: string, pointer: Numbered) {
          if (pointer.seq > (shown[name].pointers.at(-1)?.seq ?? 0)) shown[name].pointers.push(pointer);
        },
      },
      notices: { async askApprovers() {} },
      inbox: {
        subscribe: async () => 'was-subscribed' as const,
        async askToRead(peer: string) {
          hints.push(peer as Name);
        },
        async askToPublish() {},
      },
      jobs: { start: async () => {}, describe: async () => ({ kind: 'running' as const }) },
      checks: { describe: async () => ({ kind: 'running' as const }) },
    };
    return { name, inner, deps, executions, hints, reference: references[name] };
  };
  const environments = byName(environment);
  return {
    clock,
    shown,
    environments,
    violations,
    /** What the counting of names starts from, so that runs and rollbacks are told apart. */
    counter,
    /** Runs something that meets a fault. */
    async under(fault: Fault | undefined, run: Trouble['run'], act: () => Promise<void>): Promise<void> {
      trouble.now = fault === undefined ? undefined : { fault, run, count: 0 };
      await act();
      trouble.now = undefined;
    },
  };
}

function byName<T>(make: (name: Name) => T): Record<Name, T> {
  return { dev: make('dev'), staging: make('staging'), prod: make('prod'), control: make('control') };
}

function copyOf(shown: Shown | undefined): Shown {
  return { key: shown?.key, records: [...(shown?.records ?? [])], pointers: [...(shown?.pointers ?? [])] };
}

/** The items of an environment's ledger. */
export function itemsOf(environment: Environment): readonly Item[] {
  return [...environment.inner.items.values()];
}
