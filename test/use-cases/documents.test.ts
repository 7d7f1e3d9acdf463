// Documents go into stores and come out of them in one way: by a schema that has the document's name.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { Digest, digestOf } from '#domain/canonical/digest.ts';
import { document } from '#domain/canonical/document.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { readDocument, writeDocument, writeText } from '#ports/documents.ts';

const Plan = document('toy plan', z.strictObject({ b: z.int(), a: z.array(Digest), c: z.string().exactOptional() }));
const TEXT = `{"a":["${digestOf('x')}"],"b":1}`;

describe('a document by digest', () => {
  test('is written as its canonical JSON, and read again', async () => {
    const store = memoryArtifactStore();
    const digest = await writeDocument(store, Plan, { b: 1, a: [digestOf('x')] });
    expect(digest).toBe(digestOf(TEXT));
    expect(new TextDecoder().decode(await store.read(digest))).toBe(TEXT);
    expect(await readDocument(store, Plan, digest)).toEqual({ b: 1, a: [digestOf('x')] });
  });

  test('is not written where it could not be read', async () => {
    const store = memoryArtifactStore();
    await expect(writeDocument(store, Plan, { b: 1.5, a: ['x'] })).rejects.toThrow(
      /^toy plan is not valid: b: .*; a\.0: expected sha256/,
    );
    expect(store.objects.size).toBe(0);
  });

  test('is called by its name where it cannot be read', async () => {
    const store = memoryArtifactStore();
    const read = async (text: string) => readDocument(store, Plan, await writeText(store, text));
    await expect(read('{"a":[]}')).rejects.toThrow('toy plan is not valid: b: ');
    await expect(read('{"b": 1,"a":[]}')).rejects.toThrow('toy plan is not canonical JSON');
    await expect(read('no JSON')).rejects.toThrow('toy plan is not JSON');
    await expect(readDocument(store, Plan, digestOf('other'))).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
  });

  test('has a name whatever its schema is', () => {
    expect(StoredMeasure.document).toBe('comparison measure');
    expect(Plan.extend({ d: z.int() })).not.toHaveProperty('document');
  });
});

const ROOMS = 'src/use-cases,src/read-model,src/runtime,lambdas,cli,local,bench,scripts';

/** What parses or encodes canonical JSON itself, because it comes from no store by digest, or goes to none. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/use-cases/validation/champion.ts': 'opens a signed envelope',
  'src/use-cases/intake/read-peer.ts': 'opens a signed envelope',
  'src/use-cases/announcements/publish-records.ts': 'signs what it encodes',
  'src/use-cases/verification/verify-release.ts':
    'verifies files that it has read already, each by its digest and its size',
  'src/use-cases/retraining/package-candidates.ts': 'a manifest says how many bytes each file has',
  'src/read-model/golden-request.ts': 'a manifest says how many bytes each file has',
  'bench/_flights.ts': 'a manifest says how many bytes each file has',
};

const PARSING = /\bparseCanonical\(|\bopenManifest\(await\b/;
const ENCODING = /\.write\(\s*(?:new TextEncoder|bytes\(|canonicalJson)|new TextEncoder\(\)\.encode\(/;

/** The lines that parse what a store gave, or encode what it gets, by themselves. */
function byHand(path: string, text: string): readonly string[] {
  if (path in EXCEPTIONS) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      PARSING.test(line) || ENCODING.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
    );
}

describe('documents of the code', () => {
  test('none is parsed or encoded by hand', () => {
    const paths = globSync(`{${ROOMS}}/**/*.{ts,mjs}`, { exclude: ['**/node_modules/**'] });
    expect(paths.length).toBeGreaterThan(300);
    expect(paths.flatMap((path) => byHand(path, readFileSync(path, 'utf8')))).toEqual([]);
  });

  test('each exception is one', () => {
    for (const path of Object.keys(EXCEPTIONS))
      expect([path, PARSING.test(readFileSync(path, 'utf8')) || ENCODING.test(readFileSync(path, 'utf8'))]).toEqual([
        path,
        true,
      ]);
  });

  test('one that is, is found', () => {
    const found = (line: string) => byHand('src/use-cases/a.ts', line);
    expect(found("parseCanonical(ScoreWork, await documents.read(work), 'score work');")).toHaveLength(1);
    expect(found('const manifest = openManifest(await deps.releases.read(release));')).toHaveLength(1);
    expect(found('await documents.write(new TextEncoder().encode(canonicalJson(plan)));')).toHaveLength(1);
    expect(found('await documents.write(bytes(canonicalJson(plan)));')).toHaveLength(1);
    expect(found('await writeDocument(documents, ScoreWork, work);')).toEqual([]);
  });
});
