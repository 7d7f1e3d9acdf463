import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { readPartition, rowsThatCount } from '#domain/prediction/reading.ts';

const [served, other, third] = [digestOf('served'), digestOf('other'), digestOf('third')];
const manifest = (release: typeof served): PredictionManifest => ({
  formatVersion: 1,
  model: 'm',
  day: '2026-03-01',
  features: digestOf('f'),
  release,
  scorer: digestOf('s'),
  schema: digestOf('schema'),
  object: { bucket: 'lake', key: 'k', versionId: 'v', sha256: digestOf('x'), size: 1 },
  rows: 3,
  lineage: null,
  run: 'run-1',
  epoch: 2,
  publishedAt: '2026-03-02T00:00:00.000Z',
});

describe('readPartition', () => {
  const day = '2026-03-01';
  it.each([
    ['names none, and finds the served one', served, undefined, 'published', undefined],
    ['names the published one', served, served, 'published', undefined],
    ['names an older one that is still published', other, other, 'published', undefined],
    ['names none, and finds another', other, undefined, 'mismatch', true],
    ['names the served one, and finds another', other, served, 'mismatch', true],
    ['names one that is neither served nor published', served, third, 'mismatch', false],
  ] as const)('a reader who %s', (_, published, release, kind, recompute) => {
    const wanted = { day, release, served, onMismatch: 'recompute' } as const;
    const reading = readPartition(manifest(published), wanted);
    expect(reading.kind).toBe(kind);
    if (reading.kind !== 'mismatch') return;
    expect(reading.refusal.rule).toBe('prediction-release');
    expect(reading).toMatchObject({ recompute, published, wanted: release ?? served });
    expect(reading.refusal.found).toContain(published);
    // Without the model's word nothing is ever started by a reader.
    for (const onMismatch of ['refuse', undefined] as const)
      expect(readPartition(manifest(published), { ...wanted, onMismatch })).toMatchObject({ recompute: false });
  });

  it('says that nothing is published', () => {
    expect(readPartition(undefined, { day, release: undefined, served, onMismatch: undefined })).toMatchObject({
      kind: 'absent',
      refusal: { rule: 'predictions-published' },
    });
  });
});

it('counts the rows of the partitions that the manifests name, and no others', () => {
  const rows = [
    { day: '2026-03-01', predictions: digestOf('new') },
    { day: '2026-03-01', predictions: digestOf('old') },
    { day: '2026-03-02', predictions: digestOf('unpublished') },
  ];
  expect(rowsThatCount(rows, new Map([['2026-03-01', digestOf('new')]]))).toEqual([rows[0]]);
});
