import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { fileOf, openManifest, RELEASE_FILES, type ReleaseManifest, sealManifest } from '#domain/release/manifest.ts';

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

  it.each([
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
