import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileModel, compileModels } from '#model/compile.ts';
import { live } from './_lifecycle.ts';
import { replay as cards } from './card-fraud/replay.ts';

const CARDS = join(import.meta.dirname, 'card-fraud');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the second model', () => {
  it('is one folder, and learns to beat its baseline', async () => {
    const models = await compileModels(import.meta.dirname);
    expect(models.map((model) => model.name)).toEqual(['card-fraud']);
    const partitions = await cards.prepare({ folder: join(folder, 'cards'), sample: 1 });
    const { measure, rows } = await live({
      definition: await compileModel(CARDS),
      model: CARDS,
      partitions,
      asOf: '2026-02-01',
      folder: join(folder, 'live'),
    });
    expect(rows).toBe(14 * 500 + 500);
    expect(measure).toMatchObject({
      comparedRows: 7 * 500,
      unlabelled: 0,
      champion: { deviation: 0 },
      candidate: { notANumber: 0, missing: 0 },
    });
    const loss = (side: 'champion' | 'candidate') =>
      measure.clusters.reduce((sum, cluster) => sum + cluster[side].logLoss, 0);
    expect(loss('candidate')).toBeLessThan(0.9 * loss('champion'));
  });
});
