import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { openManifest } from '#domain/release/manifest.ts';
import type { Scoring } from '#ports/scoring.ts';
import type { ModelArtifact } from '#ports/training-jobs.ts';
import { whyNotWhole } from '#use-cases/promotion/prepare-rollback-target.ts';
import { verifyRelease } from '#use-cases/promotion/verify-release.ts';
import { JOINS, LOST } from '#test/domain/data/_joins.ts';
import { changed } from '#test/adapters/onnx/_models.ts';
import { packageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { admitDays, bytes, type Environment, MODEL, world } from './_environments.ts';

const RUN = 'toy-run-1';
let dev: Environment;
beforeEach(async () => {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
});

describe('what training leaves', () => {
  type Left = Readonly<Record<string, string | Uint8Array>> | Refusal;
  const artifactOf = (left: Left): ModelArtifact =>
    'rule' in left
      ? { kind: 'refused', refusal: left as Refusal }
      : {
          kind: 'read',
          files: new Map(
            Object.entries(left).map(([name, file]) => [name, typeof file === 'string' ? bytes(file) : file]),
          ),
        };
  const packaged = async (
    files: Left,
    exported: object = { status: 'exported', rows: 100, positives: 20, joins: JOINS },
    {
      others = {},
      scoring = dev.scoring,
      rowsOf = () => 10,
      contentOf = (day) => bytes(`rows of ${day}`),
      stored = () => undefined,
    }: {
      readonly others?: Readonly<Record<string, Left>>;
      readonly scoring?: Scoring;
      readonly rowsOf?: (day: string) => number;
      readonly contentOf?: (day: string) => Uint8Array;
      /** What the run has staged under a key. */
      readonly stored?: (key: string) => Uint8Array | undefined;
    } = {},
  ) => {
    const planned = await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    const [window] = (planned as { windows: { plan: Digest }[] }).windows;
    const plan = TrainingPlan.parse(
      JSON.parse(Buffer.from(await dev.documents.read(window?.plan ?? digestOf(''))).toString()),
    );
    for (const { day, digest } of plan.features)
      dev.lake.objects.set(`${MODEL}/features/${digest}`, {
        content: contentOf(day),
        sha256: digestOf(contentOf(day)),
        rows: rowsOf(day),
      });
    const training = {
      fetch: async (key: string, path: string) => {
        const content = stored(key);
        if (content !== undefined) await writeFile(path, content);
        return content !== undefined;
      },
      readArtifact: async (uri: string) => artifactOf(others[uri] ?? files),
      storeRows: async () => undefined,
    };
    const windows = [
      {
        window: 'all',
        plan: window?.plan,
        export: exported,
        training: { status: 'trained', artifact: 's3://b/model.tar.gz', seconds: 1 },
      },
      ...Object.keys(others).map((artifact) => ({
        window: artifact,
        plan: window?.plan,
        export: exported,
        training: { status: 'trained', artifact, seconds: 1 },
      })),
    ];
    return packageCandidates({ ...dev, training, scoring })({ windows }) as Promise<{
      status: string;
      candidates: {
        release: Digest;
        window: string;
        fingerprint: Digest;
        metrics: Record<string, number>;
        agreement: unknown;
      }[];
      baseline: { release: Digest; baseRate: number; window: string } | null;
      reasons: string[];
    }>;
  };

  it('becomes a release that verifies, and a baseline of the base rate', async () => {
    const exported = { status: 'exported', rows: 100, positives: 20, joins: LOST };
    const { status, candidates, baseline } = await packaged(
      { 'model.onnx': 'MODEL trained', 'metrics.json': '{"logLoss":0.4}' },
      exported,
    );
    expect(status).toBe('packaged');
    expect(candidates).toMatchObject([{ window: 'all', metrics: { logLoss: 0.4 }, joins: LOST }]);
    expect(baseline).toMatchObject({ baseRate: 0.2, window: 'all' });
    for (const release of [candidates[0]?.release, baseline?.release]) {
      if (release === undefined) throw new Error('no release');
      expect(await whyNotWhole(dev.releases, release)).toBeUndefined();
      expect(await verifyRelease(dev)({ model: MODEL, release, quarantined: [] })).toMatchObject({
        checks: Array.from({ length: 5 }, () => ({ problem: null })),
      });
    }
    expect(openManifest(await dev.releases.read(baseline?.release ?? digestOf('')))).toMatchObject({
      kind: 'baseline',
      data: { asOf: '2001-01-20', partitions: 14 },
    });
  });

  it('is the same release when it is packaged again', async () => {
    const files = { 'model.onnx': 'MODEL trained' };
    expect(await packaged(files)).toEqual(await packaged(files));
  });

  it('is refused by its window where the artifact is bad, and the other windows go on', async () => {
    const refusal = { rule: 'artifact-size', found: '9 bytes, 8 are allowed', remedy: 'train less' };
    const reason = 'artifact-size: 9 bytes, 8 are allowed; train less';
    const good = { 'model.onnx': 'MODEL trained' };
    expect(await packaged(good, undefined, { others: { wide: refusal, narrow: good } })).toMatchObject({
      status: 'packaged',
      candidates: [{ window: 'all' }, { window: 'narrow' }],
      baseline: { baseRate: 0.2 },
      reasons: [`wide: ${reason}`],
    });
    expect(await packaged(refusal)).toMatchObject({ status: 'nothing', candidates: [], reasons: [`all: ${reason}`] });
  });

  it('takes golden rows from the newest day that has any, for the baseline as well', async () => {
    const looked: string[] = [];
    const scoring: Scoring = {
      ...dev.scoring,
      makeGolden: async (model, definition, features) => {
        looked.push(await readFile(features, 'utf8'));
        return dev.scoring.makeGolden(model, definition, features);
      },
    };
    const days: string[] = [];
    const rowsOf = (day: string): number => {
      days.push(day);
      return day >= '2001-01-08' ? 0 : 10;
    };
    const { baseline } = await packaged({ 'model.onnx': 'MODEL trained' }, undefined, { scoring, rowsOf });
    expect(days.at(-1)).toBeDefined();
    expect(days.some((day) => day >= '2001-01-08')).toBe(true);
    expect(looked).toEqual(['rows of 2001-01-07', 'rows of 2001-01-07']);
    expect(baseline).not.toBeNull();
  });

  it('makes no release, and no baseline, where no day has a row, and says so', async () => {
    const left = await packaged({ 'model.onnx': 'MODEL trained' }, undefined, { rowsOf: () => 0 });
    expect(left).toMatchObject({ status: 'nothing', candidates: [], baseline: null });
    expect(left.reasons).toEqual([
      expect.stringMatching(/^baseline: .*no day from 2001-01-01 to .* has a row of features/),
      expect.stringMatching(/^all: .*no day from/),
    ]);
  });

  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`m${index}`, index])));
  it.each(['{"logLoss":NaN}', 'not JSON', '[]', '{"a":"b"}', many, `{"a":1}${' '.repeat(65_536)}`])(
    'is unaffected by metrics such as %.20s',
    async (metrics) => {
      expect(await packaged({ 'model.onnx': 'MODEL trained', 'metrics.json': metrics })).toMatchObject({
        status: 'packaged',
        candidates: [{ metrics: {} }],
      });
    },
  );

  it.each([
    ['no model', {}, 'all: the job left no model.onnx'],
    ['an empty model', { 'model.onnx': '' }, 'all: the job left an empty model.onnx'],
    ['what is no model', { 'model.onnx': 'import os' }, 'all: not a model'],
  ])('is refused with %s, and the reason', async (_, files, reason) => {
    expect(await packaged(files)).toMatchObject({ status: 'nothing', candidates: [], reasons: [reason] });
  });

  it('is packaged without the maps that its exporter put around its probabilities', async () => {
    const unwrapped = (model: Uint8Array): Uint8Array =>
      new TextEncoder().encode(Buffer.from(model).toString().replace('MAPS OF ', ''));
    const scoring: Scoring = { ...dev.scoring, unwrapped };
    expect(await packaged({ 'model.onnx': 'MAPS OF MODEL trained' }, undefined, { scoring })).toMatchObject({
      status: 'packaged',
      candidates: [{ window: 'all' }],
    });
  });

  it.each([
    ['is no ONNX', 'a pickle, perhaps', /onnx|ONNX/],
    ['asks for another number of features', constantModel({ baseRate: 0.1, features: 4 }), /\[rows, 4\]/],
  ])('is refused where it %s, as the real inspection says', async (_, model, reason) => {
    const scoring: Scoring = { ...dev.scoring, inspect: (onnx, features) => onnxScoring.inspect(onnx, features) };
    const { status, candidates, reasons } = await packaged({ 'model.onnx': model }, undefined, { scoring });
    expect({ status, candidates }).toEqual({ status: 'nothing', candidates: [] });
    expect(reasons.join('\n')).toMatch(reason);
  });

  it('is refused where it predicts what is no number, as really running it on features says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-features-'));
    try {
      const file = join(folder, 'features.parquet');
      await withDatabase('512MB', (connection) =>
        connection.run(
          `COPY (SELECT 'row-' || i AS id, i::DOUBLE AS x, 1::DOUBLE AS y FROM range(40) AS t(i)) TO ${literal(file)}`,
        ),
      );
      const features = await readFile(file);
      const sound = constantModel({ baseRate: 0.1, features: 2 });
      const hollow = changed((model) => {
        const [, rates] = model.graph?.initializer ?? [];
        if (rates !== undefined) rates.floatData = [Number.NaN, Number.NaN];
      }, sound);
      const given = { scoring: onnxScoring, contentOf: () => features, others: { sound: { 'model.onnx': sound } } };
      const { candidates, reasons } = await packaged({ 'model.onnx': hollow }, undefined, given);
      expect(candidates).toMatchObject([{ window: 'sound' }]);
      expect(reasons).toEqual([expect.stringMatching(/^all: .*predictions are no probability, the first is NaN/)]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  describe('beside the predictions of its trainer', () => {
    const rowOf = (probability: number, day = '2001-01-03') =>
      `SELECT 'row-7' AS id, DATE '${day}' AS day, ${probability}::DOUBLE AS probability`;
    /** What comes of an ONNX file that predicts 0.1 of the one row that there is, and of the predictions that were left. */
    const comparedWith = async (left: Readonly<Record<string, string>>) => {
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-predictions-'));
      const parquet = (select: string) =>
        withDatabase('512MB', async (connection) => {
          await connection.run(`COPY (${select}) TO ${literal(join(folder, 'it.parquet'))} (FORMAT parquet)`);
          return readFile(join(folder, 'it.parquet'));
        });
      try {
        const rows = await parquet(
          `SELECT 'row-7' AS id, DATE '2001-01-03' AS day, 1::FLOAT AS x, 2::FLOAT AS y, 0 AS bad`,
        );
        const files: Record<string, Uint8Array> = { 'model.onnx': constantModel({ baseRate: 0.1, features: 2 }) };
        for (const [name, select] of Object.entries(left)) files[name] = await parquet(select);
        const scoring: Scoring = {
          ...dev.scoring,
          inspect: (onnx, features) => onnxScoring.inspect(onnx, features),
          predictAgain: (onnx, definition, given) => onnxScoring.predictAgain(onnx, definition, given),
        };
        const stored = (key: string) => (key === `runs/${RUN}/all/train/train-2001-01-03.parquet` ? rows : undefined);
        return await packaged(files, undefined, { scoring, stored });
      } finally {
        await rm(folder, { recursive: true });
      }
    };

    it('becomes a candidate that says how many rows agree', async () => {
      const { candidates, reasons } = await comparedWith({ 'predictions.parquet': rowOf(0.1) });
      expect(reasons).toEqual([]);
      expect(candidates).toMatchObject([
        { window: 'all', agreement: { rows: 1, greatestDifference: expect.closeTo(0, 7) } },
      ]);
    });

    it('becomes a candidate that says that nobody compared them', async () => {
      expect((await comparedWith({})).candidates).toMatchObject([{ window: 'all', agreement: null }]);
    });

    it.each([
      [
        'predicts otherwise',
        rowOf(0.2),
        /1 rows compared, the greatest difference is 0\.100 for id row-7 of 2001-01-03/,
      ],
      ['is of a day that was not trained on', rowOf(0.1, '1999-01-03'), /such as id row-7 of day 1999-01-03/],
      ['is of a day whose rows are gone', rowOf(0.1, '2001-01-04'), /such as id row-7 of day 2001-01-04/],
      ['has no probability', `SELECT 'row-7' AS id, DATE '2001-01-03' AS day`, /column probability is missing/],
    ])('is refused by its window where the trainer %s, and the baseline is made', async (_, select, reason) => {
      const { candidates, baseline, reasons } = await comparedWith({ 'predictions.parquet': select });
      expect(candidates).toEqual([]);
      expect(baseline).not.toBeNull();
      expect(reasons).toEqual([expect.stringMatching(reason)]);
      expect(reasons[0]).toMatch(/^all: /);
    });
  });

  it('has no baseline where the labels have one class', async () => {
    expect(
      await packaged({ 'model.onnx': 'MODEL t' }, { status: 'exported', rows: 100, positives: 0, joins: JOINS }),
    ).toMatchObject({
      baseline: null,
    });
  });
});
