import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileModel, compileModels } from '#model/compile.ts';
import { canonicalJson, parseCanonical } from '#domain/canonical/digest.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { folderOf, removeFolders, valid } from './_compile.ts';
import { WRONG_MODELS } from './_wrong-models.ts';

afterAll(removeFolders);

describe('compileModel', () => {
  it('fills in the defaults and hashes the files', async () => {
    const definition = await compileModel(await folderOf(valid));
    expect(ModelDefinition.parse(definition)).toEqual(definition);
    expect(definition.labels).toMatchObject({
      join: 'payment_id',
      columns: { payment_id: 'VARCHAR', fraud: 'BOOLEAN', reported_at: 'TIMESTAMP' },
    });
    expect(definition.features.eventDays).toBe(5);
    expect(definition.windows).toEqual([
      { name: 'month', days: 28 },
      { name: 'all', since: '2026-01-01' },
    ]);
  });

  it('takes event columns that were added later, with a default of each type and with none', async () => {
    const columns = {
      ...valid.events.columns,
      a: { type: 'VARCHAR', since: '2026-11-01', default: '' },
      b: { type: 'TIMESTAMP', since: '2026-11-01', default: '2026-01-01T00:00:00Z' },
      c: { type: 'DATE', since: '2026-11-01', default: '2026-01-01' },
      d: { type: 'BOOLEAN', since: '2026-11-01', default: false },
      e: { type: 'INTEGER', since: '2026-11-01', default: -1 },
      f: { type: 'BIGINT', since: '2026-11-01', default: Number.MAX_SAFE_INTEGER },
      g: { type: 'DOUBLE', since: '2026-11-01', default: 0.5 },
      h: { type: 'DOUBLE', since: '2026-11-01', default: null },
    } as const;
    const definition = await compileModel(await folderOf({ ...valid, events: { ...valid.events, columns } }));
    expect(definition.events.columns).toEqual(columns);
    expect(parseCanonical(ModelDefinition, canonicalJson(definition), 'definition.json')).toEqual(definition);
  });

  it('takes what a model that answers requests declares, and changes nothing of one that does not', async () => {
    expect(await compileModel(await folderOf(valid))).not.toHaveProperty('online');
    const context = [
      { column: 'card', of: ['card'], within: '2 hours' },
      { column: 'card', of: ['card', 'payment_id'], within: '1 minute' },
    ];
    const definition = await compileModel(await folderOf({ ...valid, online: { context, maxRows: 7 } }));
    expect(definition.online).toEqual({
      context: [
        { column: 'card', of: ['card'], withinMinutes: 120 },
        { column: 'card', of: ['card', 'payment_id'], withinMinutes: 1 },
      ],
      maxRows: 7,
      maxAggregateAgeDays: 2,
      objectiveMs: 1000,
      pointerMaxAgeSeconds: 5,
      retentionDays: 30,
    });
    expect(parseCanonical(ModelDefinition, canonicalJson(definition), 'definition.json')).toEqual(definition);
  });

  it('changes the code digest with the training files, but not with what Python leaves behind', async () => {
    const folder = await folderOf(valid);
    const before = (await compileModel(folder)).training.code;
    await mkdir(join(folder, 'training/__pycache__'));
    await writeFile(join(folder, 'training/__pycache__/train.cpython-312.pyc'), 'x');
    expect((await compileModel(folder)).training.code).toBe(before);
    await writeFile(join(folder, 'training/requirements.txt'), 'x');
    expect((await compileModel(folder)).training.code).not.toBe(before);
  });

  it('compiles the models of this repository', async () => {
    const models = await compileModels(join(import.meta.dirname, '../../../models'));
    expect(models.map((model) => model.name)).toContain('flight-delay');
  });

  it.each(WRONG_MODELS)('refuses %s', async (_, change, message) => {
    await expect(compileModel(await folderOf({ ...valid, ...change }))).rejects.toThrow(message);
  });

  it('refuses a folder without a model, a program or an SQL file, and a model that cannot be imported', async () => {
    await expect(compileModel(join(await folderOf(valid), 'models/nothing'))).rejects.toThrow(
      /models\/nothing\/model\.ts: no such file/,
    );
    await expect(compileModel(await folderOf(valid, 'sql'))).rejects.toThrow(/features\.daily/);
    await expect(compileModel(await folderOf(valid, 'training'))).rejects.toThrow(/training: "training\/"/);
    await expect(compileModel(await folderOf('export default ;'))).rejects.toThrow(/model\.ts: cannot be imported/);
    await expect(compileModel(await folderOf('export const model = 1;'))).rejects.toThrow(/default export/);
    await expect(compileModel(await folderOf(valid, 'nothing', 'Upper'))).rejects.toThrow(
      /name: "Upper", allowed: lower-case/,
    );
  });
});
