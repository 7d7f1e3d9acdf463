import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { openManifest } from '#domain/release/manifest.ts';
import type { Scoring } from '#ports/scoring.ts';
import { whyNotWhole } from '#use-cases/verification/whole-release.ts';
import { verifyRelease } from '#use-cases/verification/verify-release.ts';
import { JOINS, LOST } from '#test/domain/data/_joins.ts';
import { changed } from '#test/adapters/onnx/_models.ts';
import { MODEL } from './_environments.ts';
import { dev, packaged, many, begin } from './_package-candidates.ts';

beforeEach(begin);

describe('what training leaves', () => {
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

  it('has no baseline where the labels have one class', async () => {
    expect(
      await packaged({ 'model.onnx': 'MODEL t' }, { status: 'exported', rows: 100, positives: 0, joins: JOINS }),
    ).toMatchObject({
      baseline: null,
    });
  });
});
