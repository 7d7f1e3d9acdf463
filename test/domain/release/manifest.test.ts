import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import {
  fileOf,
  GOLDEN_REQUEST,
  goldenAggregatesIn,
  goldenDailyPath,
  openManifest,
  RELEASE_FILES,
  type ReleaseManifest,
  sealManifest,
} from '#domain/release/manifest.ts';

const manifest: ReleaseManifest = {
  formatVersion: 1,
  model: 'm',
  kind: 'trained',
  files: RELEASE_FILES.map((path) => ({ path, sha256: digestOf(path), size: path.length })),
  data: {
    asOf: '2001-05-01',
    window: { name: 'four-weeks', from: '2001-03-01', to: '2001-03-28' },
    fingerprint: digestOf('data'),
    partitions: 28,
    labelsUntil: '2001-04-01',
  },
  training: { image: 'i', hyperparameters: { leaves: '31' }, seed: 7, code: digestOf('code') },
  recipe: digestOf('recipe'),
  code: { commit: 'c' },
  schemas: { input: digestOf('input'), output: digestOf('output') },
};
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value));
const file = manifest.files[0];

describe('a manifest', () => {
  it('is sealed under the digest of its bytes, and opened again', () => {
    const { release, bytes: sealed } = sealManifest(manifest);
    expect(digestOf(sealed)).toBe(release);
    expect(openManifest(sealed)).toEqual(manifest);
    expect(fileOf(manifest, 'model.onnx')).toEqual({ path: 'model.onnx', sha256: digestOf('model.onnx'), size: 10 });
  });

  it('has another digest when anything in it is another', () => {
    const release = sealManifest(manifest).release;
    for (const change of [
      { model: 'n' },
      { kind: 'baseline' },
      { recipe: digestOf('x') },
      { code: { commit: 'd' } },
    ] as const) {
      expect(sealManifest({ ...manifest, ...change }).release).not.toBe(release);
    }
  });

  const golden = (...paths: readonly string[]) => ({
    files: [...manifest.files, ...paths.map((path) => ({ path, sha256: digestOf(path), size: 1 }))],
  });
  const [first, second] = ['2001-03-01', '2001-03-02'].map(goldenDailyPath);

  it('may have a golden request and its aggregates after those files', () => {
    expect(goldenAggregatesIn(openManifest(sealManifest(manifest).bytes))).toBeUndefined();
    const paths = [GOLDEN_REQUEST, first ?? '', second ?? ''];
    const opened = openManifest(bytes({ ...manifest, ...golden(...paths) }));
    expect(fileOf(opened, GOLDEN_REQUEST)).toMatchObject({ sha256: digestOf(GOLDEN_REQUEST) });
    expect(goldenAggregatesIn(opened)).toEqual([
      { day: '2001-03-01', sha256: digestOf(first ?? '') },
      { day: '2001-03-02', sha256: digestOf(second ?? '') },
    ]);
    expect(goldenAggregatesIn(openManifest(bytes({ ...manifest, ...golden(GOLDEN_REQUEST) })))).toEqual([]);
  });

  it.each([
    ['aggregates of no golden request', golden(first ?? '')],
    ['aggregates in another order', golden(GOLDEN_REQUEST, second ?? '', first ?? '')],
    ['aggregates twice', golden(GOLDEN_REQUEST, first ?? '', first ?? '')],
    ['a golden request twice', golden(GOLDEN_REQUEST, GOLDEN_REQUEST)],
    ['a file of aggregates that leads out', golden(GOLDEN_REQUEST, 'golden-request/../daily-2001-03-01.parquet')],
    ['a file that it does not list', { files: manifest.files.slice(1) }],
    ['no files', { files: [] }],
    ['a file beyond the list', { files: [...manifest.files, { ...file, path: 'extra.sh' }] }],
    ['a path that leads out', { files: [{ ...file, path: '../definition.json' }, ...manifest.files.slice(1)] }],
    ['an absolute path', { files: [{ ...file, path: '/etc/passwd' }, ...manifest.files.slice(1)] }],
    ['files in another order', { files: manifest.files.toReversed() }],
    ['a file twice', { files: [file, ...manifest.files] }],
    ['an empty file', { files: [{ ...file, size: 0 }, ...manifest.files.slice(1)] }],
    ['a digest that is none', { files: [{ ...file, sha256: 'sha256:abc' }, ...manifest.files.slice(1)] }],
    ['an unknown field', { note: 'hello' }],
    ['another format', { formatVersion: 2 }],
    ['a name that is none', { model: '../m' }],
  ])('is refused with %s', (_, change) => {
    expect(() => openManifest(bytes({ ...manifest, ...change }))).toThrow(
      expect.objectContaining({ code: 'BAD_DOCUMENT' }),
    );
  });

  it('is refused when its bytes are not canonical', () => {
    const pretty = new TextEncoder().encode(JSON.stringify(manifest, null, 2));
    expect(() => openManifest(pretty)).toThrow(expect.objectContaining({ code: 'NOT_CANONICAL' }));
    const twice = canonicalJson(manifest).replace('"model":"m"', '"model":"m","model":"m"');
    expect(() => openManifest(new TextEncoder().encode(twice))).toThrow(
      expect.objectContaining({ code: 'NOT_CANONICAL' }),
    );
  });
});
