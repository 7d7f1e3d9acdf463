import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { fetchReport, pageOf } from '#cli/commands/release/report.ts';
import { render } from '#cli/report.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import type { Registration } from '#domain/release/registration.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const JSON_TEXT = canonicalJson({ formatVersion: 1, model: 'toy' });
const registration: Registration = {
  formatVersion: 1,
  model: 'toy',
  release: digestOf('release'),
  kind: 'trained',
  version: '0.1.1',
  reason: 'the same recipe on other data',
  owner: 'owners',
  creator: 'pipeline:registration',
  at: '2026-03-02T12:00:00.000Z',
  run: 'run-1',
  window: 'all',
  metrics: {},
  parent: null,
};
const reported = { ...registration, report: { html: digestOf('<p>page</p>'), json: digestOf(JSON_TEXT) } };

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-report-'));
});
afterEach(() => rm(home, { recursive: true }));

async function store() {
  const made = memoryArtifactStore();
  await made.write(bytes('<p>page</p>'));
  await made.write(bytes(JSON_TEXT));
  return made;
}

describe('release show --report', () => {
  it('writes the page to a file, prints where, and as JSON the data', async () => {
    const file = pageOf(home, registration);
    const found = await fetchReport(await store(), reported, file);
    expect(await readFile(file, 'utf8')).toBe('<p>page</p>');
    expect(render(found, 'table')).toContain(file);
    expect(JSON.parse(render(found, 'json'))).toEqual({ formatVersion: 1, model: 'toy' });
  });

  it('believes no bytes that do not hash to what the registration names', async () => {
    const tampered = await store();
    tampered.objects.set(reported.report.html, bytes('<p>another page</p>'));
    await expect(fetchReport(tampered, reported, pageOf(home, registration))).rejects.toMatchObject({
      code: 'ARTIFACT_TAMPERED',
    });
  });

  it.each([
    ['trained', 'gatehouse run start toy'],
    ['baseline', 'a baseline is compared with nothing'],
  ] as const)('refuses a %s release without one, and says what would change it', async (kind, remedy) => {
    await expect(
      fetchReport(await store(), { ...registration, kind }, pageOf(home, registration)),
    ).rejects.toMatchObject({ refusal: { rule: 'release-reported', remedy: expect.stringContaining(remedy) } });
  });
});
