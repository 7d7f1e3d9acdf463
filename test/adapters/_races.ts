import { readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { expect, it, onTestFailed } from 'vitest';
import { z } from 'zod';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { EMPTY_CHAIN, followChain } from '#domain/audit/chain.ts';
import { type Item, type Key, keyOf, keyText, type Write } from '#domain/ledger/item.ts';
import type { Ledger, TransactionResult } from '#ports/ledger.ts';
import { readRecords } from '#read-model/chain.ts';
import type { TestCloud } from '#test/_helpers/cloud.ts';
import { seedOfThisRun } from '#test/_helpers/seed.ts';
import { createTables } from './_tables.ts';

export const RACERS = 64;
/** A twentieth of what `npm run bench -- races` runs. */
const ROUNDS = Number(process.env['GATEHOUSE_ROUNDS'] ?? 5);
/** Milliseconds for 6,400 attempts where several cores' worth of work share two. */
const PATIENCE = 300_000;
const COUNTEREXAMPLES = join(import.meta.dirname, 'counterexamples');

/** What is raced for, in the files of races. */
const RACES = ['pointer', 'lock', 'approval', 'evidence', 'version', 'flip', 'artifact', 'task'] as const;
/** A race that has failed once: `npm run bench -- races` writes it to `counterexamples`, and it is run again for ever. */
const Kept = z.strictObject({ race: z.enum(RACES), seed: z.int(), rounds: z.int().min(1) });

const kept = readdirSync(COUNTEREXAMPLES)
  .filter((name) => name.endsWith('.json'))
  .map((name) => Kept.parse(JSON.parse(readFileSync(join(COUNTEREXAMPLES, name), 'utf8'))));
const fresh = seedOfThisRun('races', 'npx vitest run test/adapters/races');

/** One run of a race: a name for what it creates, and how often it is run. */
interface Run {
  readonly name: string;
  readonly rounds: number;
}

/** A test of one race: with a fresh seed, and with each one that has failed. */
export function racing(race: (typeof RACES)[number], what: string, body: (run: Run) => Promise<void>): void {
  const of = (title: string, from: number, rounds: number): void =>
    it(
      `${race}: ${what}${title}`,
      async () => {
        onTestFailed(() =>
          console.log(
            `race ${race} fails with seed ${from}; "npm run bench -- races --seed ${from}" keeps it as a test`,
          ),
        );
        seed = from;
        await body({ name: `${race}-${from}`, rounds });
      },
      PATIENCE,
    );
  of('', fresh, ROUNDS);
  for (const each of kept.filter((one) => one.race === race)) of(`, as with seed ${each.seed}`, each.seed, each.rounds);
}

const ACCOUNT = '111111111111';

/** Settings of a client whose requests really are under way at the same time. */
export const settings = (cloud: TestCloud) => ({
  region: cloud.region,
  endpoint: cloud.endpoint,
  credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'test' },
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: RACERS }) },
});

/** A ledger of its own in DynamoDB. */
export async function racingLedger(cloud: TestCloud, name: string): Promise<Ledger> {
  const client = new DynamoDBClient(settings(cloud));
  return dynamoLedger(DynamoDBDocumentClient.from(client), await createTables(client, name));
}

export const racers = (count = RACERS): readonly number[] => Array.from({ length: count }, (_, racer) => racer);

let seed = fresh;

/** In an order of chance, which is the same for the same seed: the emulator serves who comes first. */
export function shuffled(numbers: readonly number[]): readonly number[] {
  const chance = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed;
  };
  return numbers
    .map((number) => ({ number, at: chance() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ number }) => number);
}

interface Start {
  readonly writes: readonly Write[];
  result?: TransactionResult;
}

/**
 * One round: every racer decides from the same state, and all send their transactions at once. Exactly one takes effect,
 * whole: every item that anybody wanted to write is the winner's, or what it was. Each of the others is told that the
 * contested keys are no longer what it had read.
 */
export async function race<T>(
  ledger: Ledger,
  contested: (racer: number) => readonly Key[],
  act: (ledger: Ledger, racer: number) => Promise<T>,
  count = RACERS,
): Promise<{ readonly answers: readonly T[]; readonly winner: number }> {
  const starts = new Map<number, Start>();
  const read = new Map<string, Item | undefined>();
  const lanes = new Map(shuffled(racers(count)).map((racer) => [racer, Promise.withResolvers<void>()]));
  const reads = readsTogether(ledger);
  const line = (racer: number): Ledger => ({
    ...ledger,
    ...reads,
    async transact(writes, token) {
      if (starts.has(racer)) throw new Error(`racer ${racer} started twice`);
      const start: Start = { writes };
      starts.set(racer, start);
      if (starts.size === count) {
        await look(ledger, [...starts.values()], read);
        for (const { resolve } of lanes.values()) resolve();
      }
      await lanes.get(racer)?.promise;
      start.result = await ledger.transact(writes, token);
      return start.result;
    },
  });
  const answers = await Promise.all(racers(count).map((racer) => act(line(racer), racer)));
  const winners = [...starts].flatMap(([racer, { result }]) => (result?.kind === 'committed' ? [racer] : []));
  expect(winners).toHaveLength(1);
  const [winner = -1] = winners;
  const expected = new Map(read);
  for (const write of starts.get(winner)?.writes ?? [])
    if (write.kind === 'put') expected.set(keyText(keyOf(write)), write.item);
  const found = new Map<string, Item | undefined>();
  await look(ledger, [...starts.values()], found);
  expect(found).toEqual(expected);
  for (const [racer, { result }] of starts) {
    if (racer === winner) continue;
    const failed = result?.kind === 'condition-failed' ? result.failed.map(keyText) : [];
    expect(failed, `racer ${racer}`).toEqual(expect.arrayContaining(contested(racer).map(keyText)));
  }
  return { answers, winner };
}

/** Reads that are asked for at the same moment, as one: the race is about the writes. */
export function readsTogether(ledger: Ledger): Pick<Ledger, 'get' | 'getMany' | 'query'> {
  let batch:
    | { readonly keys: Map<string, Key>; readonly items: Promise<ReadonlyMap<string, Item | undefined>> }
    | undefined;
  const getMany = async (wanted: readonly Key[]): Promise<readonly (Item | undefined)[]> => {
    if (batch === undefined) {
      const keys = new Map<string, Key>();
      const items = setImmediate().then(async () => {
        batch = undefined;
        const found = await ledger.getMany([...keys.values()]);
        return new Map([...keys.keys()].map((text, index) => [text, found[index]]));
      });
      batch = { keys, items };
    }
    for (const key of wanted) batch.keys.set(keyText(key), key);
    const items = await batch.items;
    return wanted.map((key) => items.get(keyText(key)));
  };
  const queries = new Map<string, Promise<readonly Item[]>>();
  const query: Ledger['query'] = (pk, range) => {
    const name = JSON.stringify([pk, range]);
    const asked = queries.get(name) ?? ledger.query(pk, range).finally(() => queries.delete(name));
    queries.set(name, asked);
    return asked;
  };
  return { getMany, query, get: async (key) => (await getMany([key]))[0] };
}

/** Reads all that anybody wants to write. */
async function look(ledger: Ledger, starts: readonly Start[], into: Map<string, Item | undefined>): Promise<void> {
  const keys = [
    ...new Map(starts.flatMap(({ writes }) => writes.map((write) => [keyText(keyOf(write)), keyOf(write)]))).values(),
  ];
  const items = await ledger.getMany(keys);
  for (const [index, key] of keys.entries()) into.set(keyText(key), items[index]);
}

/** Holds that a model's chain has so many records, each following from the one before. */
export async function expectChain(ledger: Ledger, model: string, length: number): Promise<void> {
  const records = await readRecords(ledger, model, 0);
  expect(followChain(EMPTY_CHAIN, records)).toMatchObject({ head: { seq: length - 1 } });
  expect(new Set(records.map(({ record }) => record.operation)).size).toBe(length);
}
