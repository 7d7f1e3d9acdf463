// How a sequence ends: everything that lies about is delivered, every execution runs to its end, and all must agree.
import { checkInvariants } from '#domain/audit/invariants.ts';
import type { LedgerState } from '#domain/audit/invariant.ts';
import { governedState } from '#domain/audit/standing.ts';
import { type AuditRecord, recordOf } from '#domain/audit/chain.ts';
import { authorityOf, authorityKindOf } from '#domain/ledger/keys.ts';
import { type Item, textOf } from '#domain/ledger/item.ts';
import { ENVIRONMENTS, type Name } from './_commands.ts';
import { MODEL } from './_fixtures.ts';
import { publish, read as readFrom, reconcile } from './_interpret.ts';
import { isDone, step } from './_machines.ts';
import { type Environment, itemsOf, PEERS, type World } from './_environments.ts';

/** Longer than anybody waits: for people, for a turn, for a deadline. */
const PATIENCE_MS = 80 * 3_600_000;

/** Delivers everything, lets every deadline pass, and lets every execution end. @throws when the world does not come to rest */
export async function settle(world: World): Promise<void> {
  for (let round = 0; ; round += 1) {
    if (round === 60) throw new Error('the environments do not come to rest');
    const before = lengthOf(world);
    for (const name of ENVIRONMENTS) await deliver(world, name);
    for (const name of ENVIRONMENTS) await advance(world, name);
    if (lengthOf(world) !== before) continue;
    const waiting = ENVIRONMENTS.some((name) => !isAtRest(world.environments[name]));
    if (!waiting) return;
    // Nobody decides any more: the reconciler ends what is past its deadline, and whoever waited for its turn gives up.
    world.clock.at += PATIENCE_MS;
    for (const name of ENVIRONMENTS) await reconcile(world.environments[name]);
  }
}

/** Publishes what an environment has not shown, and has its followers read what they have not read. */
async function deliver(world: World, name: Name): Promise<void> {
  const { inner, reference } = world.environments[name];
  const published = inner.items.get(`CURSOR#published ${MODEL}`)?.['seq'] ?? -1;
  if (published !== reference.chain.length - 1) await publish(world.environments[name]);
  for (const follower of ENVIRONMENTS.filter((each) => PEERS[each].includes(name))) {
    const read = world.environments[follower].inner.items.get(`CURSOR#peer-${name} ${MODEL}`)?.['seq'] ?? -1;
    if (read !== world.shown[name].records.length - 1) await readFrom(world.environments[follower], name);
  }
}

async function advance(world: World, name: Name): Promise<void> {
  const environment = world.environments[name];
  for (const execution of environment.executions) {
    for (let state = ''; !isDone(execution) && state !== execution.state;) {
      ({ state } = execution);
      await step(world, environment, execution, 0);
    }
  }
}

const isAtRest = ({ executions, reference }: Environment): boolean =>
  executions.every(isDone) && reference.open.size === 0;

const lengthOf = (world: World): number =>
  ENVIRONMENTS.reduce((sum, name) => sum + world.environments[name].reference.chain.length, 0);

/** What is wrong when everything has come to rest. */
export async function endOf(world: World, isThorough: boolean): Promise<readonly string[]> {
  await settle(world);
  if (world.violations.length > 0) return world.violations;
  return ENVIRONMENTS.flatMap((name) => [
    ...disagreements(world, name),
    ...checkInvariants(stateOf(world, name, isThorough)).flatMap(({ invariant, found }) =>
      found.map((line) => `${name}: ${invariant}: ${line}`),
    ),
  ]);
}

/** What an environment believes of its peers beside what they said. */
function disagreements(world: World, name: Name): readonly string[] {
  const { inner, reference, executions } = world.environments[name];
  const found: string[] = [];
  const shown = world.shown[name].records;
  if (shown.length !== reference.chain.length) found.push(`${name}: published ${shown.length} of its records`);
  shown.forEach(({ payload }, seq) => {
    const document = Buffer.from(payload, 'base64').toString();
    const item = inner.items.get(`CHAIN#${MODEL}#${'0'.repeat(12)} ${String(seq).padStart(12, '0')}`);
    if (document !== item?.['document']) found.push(`${name}: record ${seq} is published otherwise than it stands`);
  });
  for (const peer of PEERS[name]) {
    const { chain, head } = world.environments[peer].reference;
    const cursor = inner.items.get(`CURSOR#peer-${peer} ${MODEL}`);
    if (chain.length > 0 && (cursor?.['seq'] !== chain.length - 1 || cursor['hash'] !== head))
      found.push(`${name}: has read ${peer} up to ${Number(cursor?.['seq'] ?? -1)}, it has ${chain.length}`);
  }
  if (reference.open.size > 0) found.push(`${name}: ${[...reference.open.keys()].join()} is open at the end`);
  if (!executions.every(isDone)) found.push(`${name}: an execution has not ended`);
  return [...found, ...upstreamDifferences(world, name), ...requestDifferences(world, name)];
}

/** What an environment takes note of, of whom. */
const NOTED: Readonly<Partial<Record<Name, Readonly<Partial<Record<Name, readonly string[]>>>>>> = {
  staging: { dev: ['BASELINE_REGISTERED', 'RELEASE_OFFERED'] },
  prod: {
    dev: ['BASELINE_REGISTERED', 'RELEASE_REGISTERED', 'RELEASE_OFFERED'],
    staging: ['RELEASE_PROMOTED', 'RELEASE_ROLLED_BACK'],
  },
};

/** The releases that its peers let through, and those that were rolled back, as their chains say. */
function upstreamDifferences(world: World, name: Name): readonly string[] {
  const believed = itemsOf(world.environments[name]).filter(({ pk }) => pk === `UPSTREAM#${MODEL}`);
  const expected = new Map<string, { record: string | undefined; withdrawn: string | null }>();
  for (const [source, codes] of Object.entries(NOTED[name] ?? {})) {
    const { chain, places } = world.environments[source as Name].reference;
    const hashes = [...places.keys()];
    chain.forEach(({ code, release, details }, seq) => {
      if (!codes.includes(code)) return;
      const isTaken = code === 'RELEASE_ROLLED_BACK';
      const key = `${(isTaken ? (details['from'] as string) : release) ?? ''}#${source}`;
      const known = expected.get(key);
      if (isTaken && known !== undefined) known.withdrawn ??= hashes[seq] ?? null;
      if (!isTaken && known === undefined) expected.set(key, { record: hashes[seq], withdrawn: null });
    });
  }
  const found = believed
    .filter((item) => {
      const said = expected.get(item.sk);
      return said?.record !== item['record'] || said?.withdrawn !== item['withdrawn'];
    })
    .map(({ sk }) => `${name}: believes of ${sk} what was not said`);
  return believed.length === expected.size
    ? found
    : [...found, `${name}: knows ${believed.length} of ${expected.size}`];
}

/** Control's requests end as their promotions did. */
function requestDifferences(world: World, name: Name): readonly string[] {
  if (name !== 'control') return [];
  return itemsOf(world.environments.control)
    .filter(({ pk }) => pk === `REQUEST#${MODEL}`)
    .flatMap((item) => {
      const target = world.environments[item['environment'] as Name];
      const promotion = target.inner.items.get(`PROMOTION#${MODEL} ${item.sk}`);
      const ended = promotion?.['status'] === 'committed' ? 'promoted' : promotion?.['status'];
      return ended === item['status'] ? [] : [`control: ${item.sk} is ${textOf(item, 'status')}, not as it ended`];
    });
}

/** An environment as fsck reads it. */
function stateOf(world: World, name: Name, isThorough: boolean): LedgerState {
  const { inner } = world.environments[name];
  const items = itemsOf(world.environments[name]);
  const chain = items.filter(({ pk }) => pk.startsWith(`CHAIN#${MODEL}#`)).toSorted((a, b) => (a.sk < b.sk ? -1 : 1));
  const head = inner.items.get(`CHAIN#${MODEL} HEAD`);
  const text = (item: Item, attribute: string): string => item[attribute] as string;
  const { key, records, pointers } = world.shown[name];
  const [last] = chain.slice(-1);
  return {
    environment: name,
    model: MODEL,
    // Signatures are looked at again where it is thorough; otherwise nothing is due to be published yet.
    now: isThorough || last === undefined ? world.clock.now() : new Date(0),
    stored: chain.map((item) => ({
      seq: Number(item.sk),
      document: text(item, 'document'),
      hash: text(item, 'hash'),
      changes: text(item, 'changes'),
    })),
    head: head === undefined ? undefined : ({ seq: head['seq'], hash: head['hash'] } as LedgerState['head']),
    ...governedState(
      items.filter((item) => authorityKindOf(item) === 'governed' || authorityOf(item.pk) === 'OPERATION'),
    ),
    predictions: [],
    baselines: [],
    isReconciling: false,
    objects: [],
    published:
      !isThorough || key === undefined
        ? undefined
        : {
            publicKeyPem: key,
            records: records.map((envelope, seq) => ({ seq, envelope })),
            newestPointer: pointers.at(-1),
          },
    decisions: decisionsOf(world),
  };
}

function decisionsOf(world: World): ReadonlyMap<string, AuditRecord> {
  const items = itemsOf(world.environments.control).filter(({ code }) => code === 'DECISION_MADE');
  return new Map(items.map((item) => [item['hash'] as string, recordOf(item).record]));
}
