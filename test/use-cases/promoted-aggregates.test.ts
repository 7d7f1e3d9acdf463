// The daily aggregates that an endpoint loads for a release are listed before the pointer names it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { FeatureWork } from '#domain/data/feature-work.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import { promotionName } from '#domain/promotion/promotion.ts';
import { readDocument } from '#ports/documents.ts';
import { findAggregates, readAggregates } from '#read-model/aggregates.ts';
import { readPointer } from '#read-model/pointer.ts';
import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { writeRefusals } from '#use-cases/data/batch-refusals.ts';
import {
  PlanAggregates,
  planPromotedAggregates,
  publishPromotedAggregates,
} from '#use-cases/promotion/publish-aggregates.ts';
import { VerifyRelease, verifyRelease } from '#use-cases/verification/verify-release.ts';
import { VerifyRollbackTarget, verifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import type { Task } from '#use-cases/task.ts';
import { admitDays } from './_admitted.ts';
import { bytes, definition, type Environment, MODEL, SQL } from './_environments.ts';
import { makeRelease } from './_releases.ts';
import { open, promote } from './_machine.ts';
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
const wider: ModelDefinition = { ...online, features: { ...online.features, aggregateDays: 3, eventDays: 1 } };
/** Its aggregates of a day need the events of a week. */
const weekly: ModelDefinition = { ...online, features: { ...online.features, eventDays: 7 } };
const basis = aggregateBasis(online);

let here: Awaited<ReturnType<typeof scene>>;
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
  here = await scene();
  ({ prod } = here);
  await here.begin();
});

const plan = async () => PlanAggregates.output.parse(await planPromotedAggregates(prod)(named));
type Planned = { readonly list: Digest; readonly replaces: Digest | null };
const publish = ({ list, replaces }: Planned, refused: Digest | null = null) =>
  publishPromotedAggregates(prod)({ ...named, aggregates: { list, replaces }, builtAggregates: [{ refused }] });
async function planned() {
  const found = await plan();
  if (found.status !== 'planned') throw new Error(found.status);
  return { ...found, days: (await readDocument(prod.documents, AggregatesList, found.list)).days };
}

/** Puts stand-ins for daily aggregates into the lake, as the machine's Map would build them. */
async function build(days: readonly { readonly digest: Digest }[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const path = join(folder, 'daily.parquet');
  await writeFile(path, 'daily');
  for (const { digest } of days)
    await prod.lake.store('daily', MODEL, digest, { path, sha256: digestOf('daily'), rows: 1 });
  await rm(folder, { recursive: true });
}

const cause = { rule: 'feature-sql-runs', found: 'a column is not there', remedy: 'mend the SQL' } as const;
/** Builds the daily aggregates of a batch, but those of some days, which are refused. */
const builds =
  (...but: readonly string[]): Task =>
  async (batch) => {
    const { work, from, to } = BuildPartitions.input.parse(batch);
    const daily = (await readDocument(prod.documents, FeatureWork, work)).daily.slice(from, to);
    const refusals = daily.filter(({ day }) => but.includes(day)).map(({ day }) => ({ day, ...cause }));
    await build(daily.filter(({ day }) => !but.includes(day)));
    return {
      status: refusals.length === 0 ? 'built' : 'refused',
      built: daily.length - refusals.length,
      refusals,
      refused: await writeRefusals(prod.documents, refusals),
    };
  };

/** Verifies a release but for its golden request, which needs a real engine. */
const butForGolden = <T extends { readonly checks: { readonly check: string; readonly problem: string | null }[] }>(
  report: T,
): T => ({
  ...report,
  checks: report.checks.map((each) => (each.check === 'golden request reproduces' ? { ...each, problem: null } : each)),
});
const verifies: Task = async (input) => butForGolden(VerifyRelease.output.parse(await verifyRelease(prod)(input)));
const verifiesTarget: Task = async (input) =>
  butForGolden(VerifyRollbackTarget.output.parse(await verifyRollbackTarget(prod)(input)));

/** Promotes a release of a definition by the machine, which builds its daily aggregates. */
async function promoted(text: string, of: ModelDefinition, buildAggregates: Task = builds()) {
  const onnx = bytes(`MODEL ${text}`);
  const { request: asked, release, well } = await here.candidate(text, {}, { definition: of, sql: SQL, onnx });
  const tasks = {
    'Verify release': verifies,
    'Verify rollback target': verifiesTarget,
    'Build aggregates': buildAggregates,
  };
  const { path } = await promote(prod, asked, { ...well, tasks });
  return { path, release };
}

const served = async (): Promise<Digest | undefined> => (await readPointer(prod.ledger, MODEL))?.current;
const daysOf = async (of: ModelDefinition): Promise<readonly string[] | undefined> =>
  (await readAggregates(prod.ledger, prod.documents, MODEL, aggregateBasis(of)))?.days.map(({ day }) => day);

/** A list that a batch run has published. */
async function published(list: Digest, until: string, of = basis): Promise<void> {
  const item = { formatVersion: 1, model: MODEL, basis: of, list, until, run: 'batch', epoch: 1 };
  const publishedAt = prod.clock.now().toISOString();
  await prod.ledger.transact(
    [{ kind: 'put', item: { ...keys.aggregates(MODEL, of), ...item, publishedAt } }],
    `list of ${until}`,
  );
}

describe('the aggregates of a release that is about to be promoted', () => {
  beforeEach(() => opened(online));

  it('are planned, built and published with a record, once, and are current then', async () => {
    const found = await planned();
    const { list, days, dailyBatches } = found;
    expect(days.map(({ day }) => day)).toEqual(['2001-01-23', '2001-01-24', '2001-01-25']);
    expect(found.replaces).toBeNull();
    expect(dailyBatches).toHaveLength(1);
    await build(days);
    expect(await publish(found)).toEqual({ status: 'published' });
    expect(await readAggregates(prod.ledger, prod.documents, MODEL, basis)).toMatchObject({ list, days });
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'AGGREGATES_PUBLISHED',
      details: { promotion: named.promotion, basis, list, epoch: 1 },
    });
    // Its answer got lost, and the state is tried again.
    const records = (await prod.chain()).length;
    expect(await publish(found)).toEqual({ status: 'published' });
    expect(await prod.chain()).toHaveLength(records);
    expect(await plan()).toEqual({ status: 'current' });
  });

  it('are published only where each of them is built, or refused with the cause of the first that is not', async () => {
    const found = await planned();
    const records = await prod.codes();
    await build(found.days.slice(0, 2));
    const refused = await writeRefusals(prod.documents, [{ day: '2001-01-25', ...cause }]);
    expect(await publish(found, refused)).toMatchObject({
      status: 'refused',
      refusal: { rule: 'aggregates-built', found: '2001-01-25: feature-sql-runs: a column is not there' },
    });
    expect(await publish(found)).toMatchObject({
      status: 'refused',
      refusal: { found: '2001-01-25 is not built, and no batch said why' },
    });
    expect(await findAggregates(prod.ledger, MODEL, basis)).toBeUndefined();
    expect(await prod.codes()).toEqual(records);
  });

  it('replace the list that the plan saw, although it ends on the same day', async () => {
    await published(digestOf('a list of data that were corrected since'), '2001-01-25');
    const found = await planned();
    expect(found.replaces).toBe(digestOf('a list of data that were corrected since'));
    await build(found.days);
    expect(await publish(found)).toEqual({ status: 'published' });
    expect(await findAggregates(prod.ledger, MODEL, basis)).toMatchObject({ list: found.list });
  });

  it.each(['2001-01-24', '2001-01-25', '2001-01-26'])(
    'never take the place of a list that was published meanwhile, here one until %s',
    async (until) => {
      const found = await planned();
      await build(found.days);
      const meanwhile = digestOf('a list of a batch run');
      await published(meanwhile, until);
      expect(await publish(found)).toEqual({ status: 'kept' });
      expect(await findAggregates(prod.ledger, MODEL, basis)).toMatchObject({ list: meanwhile });
    },
  );
});

describe('a promotion of a release whose endpoint loads other aggregates', () => {
  it('builds and publishes them before the pointer names it', async () => {
    const { path, release } = await promoted('second', online);
    expect(path).toEqual(expect.arrayContaining(['Publish aggregates', 'Aggregates published?', 'Promoted']));
    expect(await served()).toBe(release);
    expect(await daysOf(online)).toEqual(['2001-01-23', '2001-01-24', '2001-01-25']);
  });

  it.each(['2001-01-22', '2001-01-25'])('is refused where that of %s cannot be built', async (day) => {
    const { release } = await promoted('second', online);
    const { path } = await promoted('third', wider, builds(day));
    expect(path.slice(-4)).toEqual([
      'Aggregates published?',
      'Aggregates were not built',
      'Refuse promotion',
      'Refused',
    ]);
    expect(await served()).toBe(release);
    expect(await daysOf(wider)).toBeUndefined();
    const { code, details } = (await prod.chain()).at(-1) ?? {};
    expect({ code, details }).toMatchObject({ code: 'PROMOTION_REFUSED', details: { rule: 'aggregates-built' } });
    expect(JSON.stringify(details)).toContain(`${day}: feature-sql-runs: a column is not there`);
  });

  it('is refused where they end before those that are served, for lack of data that only its own need', async () => {
    await admitDays(prod.ledger, '2001-01-27', '2001-01-30');
    const { release } = await promoted('second', online);
    expect(await daysOf(online)).toEqual(['2001-01-28', '2001-01-29', '2001-01-30']);
    const { path } = await promoted('third', weekly);
    expect(path).toContain('Aggregates were not built');
    expect(await served()).toBe(release);
    expect(await daysOf(weekly)).toBeUndefined();
    expect(JSON.stringify((await prod.chain()).at(-1)?.details)).toContain(
      'they end with 2001-01-25, those that are served with 2001-01-30',
    );
    await admitDays(prod.ledger, '2001-01-26', '2001-01-26');
    expect((await promoted('fourth', weekly)).path.at(-1)).toBe('Promoted');
  });

  it('is refused where a list was published meanwhile that ends before the served one', async () => {
    const { release } = await promoted('second', online);
    const { path } = await promoted('third', wider, async (batch) => {
      await published(digestOf('an older list'), '2001-01-24', aggregateBasis(wider));
      return builds()(batch);
    });
    expect(path).toContain('Aggregates were not built');
    expect(await served()).toBe(release);
  });

  it('builds nothing where the served release has the same ones, and its list stays', async () => {
    await promoted('second', online);
    await admitDays(prod.ledger, '2001-01-24', '2001-01-27', { mark: 'corrected' });
    const { path, release } = await promoted('third', { ...online, owner: 'others' }, async () => {
      throw new Error('the next batch run builds them');
    });
    expect(path).not.toContain('Build missing aggregates');
    expect(await served()).toBe(release);
    expect(await daysOf(online)).toEqual(['2001-01-23', '2001-01-24', '2001-01-25']);
  });

  it('builds them where the list of its own is from before another release was served', async () => {
    await promoted('second', online);
    await promoted('third', wider);
    await admitDays(prod.ledger, '2001-01-25', '2001-01-27', { mark: 'again' });
    const { path } = await promoted('fourth', { ...online, owner: 'others' });
    expect(path).toContain('Publish aggregates');
    expect(await daysOf(online)).toEqual(['2001-01-25', '2001-01-26', '2001-01-27']);
  });

  it('has none where the model answers no requests', async () => {
    const { path } = await promoted('second', definition);
    expect(path).not.toContain('Build missing aggregates');
    expect(path.at(-1)).toBe('Promoted');
  });
});
