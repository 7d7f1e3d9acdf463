// The daily aggregates that an endpoint loads for a release are listed before the pointer names it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import { promotionName } from '#domain/promotion/promotion.ts';
import { readDocument } from '#ports/documents.ts';
import { findAggregates, readAggregates } from '#read-model/aggregates.ts';
import {
  PlanAggregates,
  planPromotedAggregates,
  publishPromotedAggregates,
} from '#use-cases/promotion/publish-aggregates.ts';
import { bytes, definition, type Environment, MODEL, SQL } from './_environments.ts';
import { makeRelease } from './_releases.ts';
import { open } from './_machine.ts';
import { released, request, scene } from './_scene.ts';

const online: ModelDefinition = {
  ...definition,
  features: { ...definition.features, aggregateDays: 2 },
  online: {
    context: [],
    maxRows: 100,
    maxAggregateAgeDays: 2,
    objectiveMs: 1000,
    pointerMaxAgeSeconds: 5,
    retentionDays: 30,
  },
};
const basis = aggregateBasis(online);

let prod: Environment;
let named: { readonly model: string; readonly promotion: string };
/** Opens the promotion of a release of a definition. */
async function opened(of: ModelDefinition): Promise<void> {
  const onnx = bytes('MODEL second');
  const asked = request(await makeRelease(prod.releases, 'second', 'trained', { definition: of, sql: SQL, onnx }));
  await released(prod, asked);
  await open(prod, asked);
  named = { model: MODEL, promotion: promotionName(asked) };
}
beforeEach(async () => {
  const here = await scene();
  ({ prod } = here);
  await here.begin();
  await opened(online);
});

const plan = async () => PlanAggregates.output.parse(await planPromotedAggregates(prod)(named));
const publish = (list: Digest) => publishPromotedAggregates(prod)({ ...named, aggregates: { list } });
async function planned() {
  const found = await plan();
  if (found.status !== 'planned') throw new Error(found.status);
  return { ...found, days: (await readDocument(prod.documents, AggregatesList, found.list)).days };
}

/** Puts stand-ins for daily aggregates into the lake, as the machine's Map would build them. */
async function build(digests: readonly Digest[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const path = join(folder, 'daily.parquet');
  await writeFile(path, 'daily');
  for (const digest of digests)
    await prod.lake.store('daily', MODEL, digest, { path, sha256: digestOf('daily'), rows: 1 });
  await rm(folder, { recursive: true });
}

/** A list that a batch run has published. */
async function published(list: Digest, until: string): Promise<void> {
  const item = { formatVersion: 1, model: MODEL, basis, list, until, run: 'batch', epoch: 1 };
  const publishedAt = prod.clock.now().toISOString();
  await prod.ledger.transact(
    [{ kind: 'put', item: { ...keys.aggregates(MODEL, basis), ...item, publishedAt } }],
    `list of ${until}`,
  );
}

describe('the aggregates of a release that is about to be promoted', () => {
  it('are planned, built and published with a record, once, and are current then', async () => {
    const { list, days, dailyBatches } = await planned();
    expect(days.map(({ day }) => day)).toEqual(['2001-01-23', '2001-01-24', '2001-01-25']);
    expect(dailyBatches).toHaveLength(1);
    await build(days.map(({ digest }) => digest));
    expect(await publish(list)).toEqual({ status: 'published' });
    expect(await readAggregates(prod.ledger, prod.documents, MODEL, basis)).toMatchObject({ list, days });
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'AGGREGATES_PUBLISHED',
      details: { promotion: named.promotion, basis, list, epoch: 1 },
    });
    // Its answer got lost, and the state is tried again.
    const records = (await prod.chain()).length;
    expect(await publish(list)).toEqual({ status: 'kept' });
    expect(await prod.chain()).toHaveLength(records);
    expect(await plan()).toEqual({ status: 'current' });
  });

  it('are published as far as they are built, and not at all where none is', async () => {
    const { list, days } = await planned();
    expect(await publish(list)).toEqual({ status: 'kept' });
    expect(await findAggregates(prod.ledger, MODEL, basis)).toBeUndefined();
    await build(days.slice(0, 2).map(({ digest }) => digest));
    expect(await publish(list)).toEqual({ status: 'published' });
    expect(await findAggregates(prod.ledger, MODEL, basis)).toMatchObject({ until: '2001-01-24' });
  });

  it('never take the place of a list that is as new', async () => {
    const { list, days } = await planned();
    await build(days.map(({ digest }) => digest));
    const newer = digestOf('a list of a batch run');
    await published(newer, '2001-01-26');
    expect(await publish(list)).toEqual({ status: 'kept' });
    expect(await findAggregates(prod.ledger, MODEL, basis)).toMatchObject({ list: newer });
  });

  it('are none of a model that answers no requests', async () => {
    const here = await scene();
    ({ prod } = here);
    await here.begin();
    await opened(definition);
    expect(await plan()).toEqual({ status: 'current' });
  });
});
