import { z } from 'zod';
import { partitionIn } from '#domain/data/partition-item.ts';
import { Approval } from '#domain/approval/approval.ts';
import { type AuditRecord, recordOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import type { AdmittedPartition, PartitionKind } from '#domain/data/partition.ts';
import { OpenRefusal } from '#domain/data/open-refusal.ts';
import { Evidence } from '#domain/gates/evidence.ts';
import { GateId } from '#domain/gates/gate.ts';
import { type Item, withoutKey } from '#domain/ledger/item.ts';
import { CHAIN_BUCKET, governedPartitions, isOfModel, keys } from '#domain/ledger/keys.ts';
import { ActivePolicy, PolicyApproval } from '#domain/policy/activation.ts';
import { Fence, PredictionManifest } from '#domain/prediction/manifest.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import { groundKeys, groundsFrom } from '#domain/promotion/grounds-items.ts';
import { Pointer } from '#domain/promotion/pointer.ts';
import { Lock, Promotion } from '#domain/promotion/promotion.ts';
import { Registration } from '#domain/release/registration.ts';
import type { ReadableLedger } from './cloud.ts';

/** A record of a chain and the hash that names it. */
export interface Recorded {
  readonly record: AuditRecord;
  readonly hash: Digest;
}

async function one<T>(
  ledger: ReadableLedger,
  key: Parameters<ReadableLedger['get']>[0],
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const item = await ledger.get(key);
  return item === undefined ? undefined : withoutKey(schema, item);
}

/** What an environment serves. */
export const pointerOf = (ledger: ReadableLedger, model: string): Promise<Pointer | undefined> =>
  one(ledger, keys.pointer(model), Pointer);

/** Who holds the lock of a model's promotions. */
export const lockOf = (ledger: ReadableLedger, model: string): Promise<Lock | undefined> =>
  one(ledger, keys.lock(model), Lock);

/** The document with what the suites have said of a model's partitions. */
export async function checkedDataOf(ledger: ReadableLedger, model: string): Promise<Digest | undefined> {
  const item = await ledger.get(keys.checkedData(model));
  return item === undefined ? undefined : Digest.parse(item['document']);
}

/** The policy that is in force. */
export const activePolicyOf = (ledger: ReadableLedger, model: string): Promise<ActivePolicy | undefined> =>
  one(ledger, keys.policy(model), ActivePolicy);

/** The votes of people for some policy in place of the one that is in force, those that have expired among them. */
export async function policyApprovalsOf(
  ledger: ReadableLedger,
  model: string,
  { activation }: ActivePolicy,
): Promise<readonly PolicyApproval[]> {
  const from = keys.policyApproval(model, activation, '', '').sk.slice(0, -1);
  const items = await ledger.query(keys.policy(model).pk, { from, to: `${from}\uFFFF` });
  return items.map((item) => withoutKey(PolicyApproval, item));
}

/** The fence of a model's batch runs. */
export const fenceOf = (ledger: ReadableLedger, model: string): Promise<Fence | undefined> =>
  one(ledger, keys.fence(model), Fence);

/** The promotions of a model, newest first. */
export async function promotionsOf(ledger: ReadableLedger, model: string): Promise<readonly Promotion[]> {
  const items = await ledger.query(keys.promotions(model));
  return items.map((item) => withoutKey(Promotion, item)).sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
}

/** The recorded decisions on a promotion, or on all of a model's. */
export async function approvalsOf(
  ledger: ReadableLedger,
  model: string,
  promotion?: string,
): Promise<readonly Approval[]> {
  const range = promotion === undefined ? {} : { from: `${promotion}#`, to: `${promotion}#\uFFFF` };
  return (await ledger.query(keys.approvals(model), range)).map((item) => withoutKey(Approval, item));
}

/** Everything in a ledger that a promotion's commit rests on, as it stands now. */
export async function groundsOf(ledger: ReadableLedger, promotion: Promotion): Promise<GroundsState> {
  const pointer = await pointerOf(ledger, promotion.model);
  const [items, approvals] = await Promise.all([
    Promise.all(groundKeys(promotion, pointer).map((key) => ledger.get(key))),
    ledger.query(keys.approvals(promotion.model), {
      from: `${promotion.promotion}#`,
      to: `${promotion.promotion}#\uFFFF`,
    }),
  ]);
  return groundsFrom(promotion, items, approvals);
}

/** The newest evidence that a promotion's gates gave about its release, with the digest under which it was written. */
export async function evidenceFor(
  ledger: ReadableLedger,
  promotion: Promotion,
): Promise<readonly { readonly evidence: Evidence; readonly body: string }[]> {
  const { gates, model, release, environment, policy } = promotion;
  const items = await Promise.all(
    gates.map((gate) => ledger.get(keys.evidence(gate, model, release, environment, policy))),
  );
  return items
    .filter((item) => item !== undefined)
    .map((item) => {
      const { body, ...rest } = item;
      return { evidence: withoutKey(Evidence, { ...rest, pk: item.pk, sk: item.sk }), body: z.string().parse(body) };
    });
}

/** The items of a model's chain, in order. */
export async function chainItems(ledger: ReadableLedger, model: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let bucket = 0; ; bucket += 1) {
    const found = await ledger.query(keys.chainBucket(model, bucket));
    items.push(...found);
    if (found.length < CHAIN_BUCKET) return items;
  }
}

/** The records of a model's chain, in order. */
export async function chainOf(ledger: ReadableLedger, model: string): Promise<readonly Recorded[]> {
  return (await chainItems(ledger, model)).map(recordOf);
}

/** Every item of a model that was put by an audited act, and the operations that were done. */
export async function standingItems(ledger: ReadableLedger, model: string): Promise<readonly Item[]> {
  const partitions = [...governedPartitions(model, GateId.options), keys.operation(model, '').pk];
  return (await Promise.all(partitions.map((pk) => ledger.query(pk)))).flat().filter((item) => isOfModel(item, model));
}

/** The registrations of a model, newest first. */
export async function registrationsOf(ledger: ReadableLedger, model: string): Promise<readonly Registration[]> {
  const items = await ledger.query(keys.registration(model, '').pk);
  return items.map((item) => withoutKey(Registration, item)).sort((a, b) => (a.at < b.at ? 1 : -1));
}

/** The newest version of each admitted partition of a kind, in the order of the days. */
export async function partitionsOf(
  ledger: ReadableLedger,
  model: string,
  kind: PartitionKind,
): Promise<readonly AdmittedPartition[]> {
  return (await ledger.query(keys.partitions(model, kind))).map((item) => partitionIn(item));
}

/** The refusals of a model's days that nothing has mended yet. */
export async function refusalsOf(ledger: ReadableLedger, model: string): Promise<readonly OpenRefusal[]> {
  const items = await ledger.query(keys.refusals(model));
  return items.map((item) => withoutKey(OpenRefusal, item)).filter(({ resolvedAt }) => resolvedAt === null);
}

/** The manifests of a model's published predictions, in the order of the days. */
export async function predictionsOf(ledger: ReadableLedger, model: string): Promise<readonly PredictionManifest[]> {
  return (await ledger.query(keys.predictions(model))).map((item) => withoutKey(PredictionManifest, item));
}

/** The digests that were rolled back in an environment. */
export async function quarantinedIn(ledger: ReadableLedger, model: string): Promise<readonly Digest[]> {
  return (await ledger.query(keys.quarantined(model))).map((item) => Digest.parse(item['release']));
}

/** What a review of the served release found. */
const Review = z.looseObject({
  rule: z.string(),
  reason: z.string(),
  change: z.string(),
  maturity: z.object({ served: z.number(), matured: z.number(), share: z.number() }),
});
export type Review = z.infer<typeof Review>;

/** A run of a state machine, as its ledger knows it; some fields exist only when it ended. */
export const Run = z.looseObject({
  run: z.string(),
  machine: z.string(),
  status: z.string(),
  trigger: z.string().optional(),
  asOf: z.string().optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  published: z.number().optional(),
  rows: z.number().optional(),
  carried: z.number().optional(),
  /** Days that were due and could not be built or scored, the first of them with their causes. */
  blockedDays: z.number().optional(),
  blocked: z.array(z.object({ day: z.string(), rule: z.string(), found: z.string(), remedy: z.string() })).optional(),
  epoch: z.number().optional(),
  review: Review.optional(),
  /** What a check of drift found, as `status --drift` reads it. */
  drift: z.unknown().optional(),
});
export type Run = z.infer<typeof Run>;

/** The runs of a model, newest first. */
export async function runsOf(ledger: ReadableLedger, model: string): Promise<readonly Run[]> {
  const items = await ledger.query(keys.runs(model));
  const began = (run: Run): string => run.startedAt ?? run.endedAt ?? '';
  return items.map((item) => withoutKey(Run, item)).sort((a, b) => (began(a) < began(b) ? 1 : -1));
}
