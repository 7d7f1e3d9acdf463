import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelInput } from '#model/define-model.ts';

export const valid: ModelInput = {
  owner: 'risk',
  purpose: 'a test',
  events: {
    source: 'cards/events',
    id: 'payment_id',
    entity: 'card',
    time: 'paid_at',
    columns: { payment_id: 'VARCHAR', card: 'VARCHAR', paid_at: 'TIMESTAMP', amount: 'DOUBLE' },
  },
  labels: { source: 'cards/labels', value: 'fraud', arrivedAt: 'reported_at', matureAfterDays: 5 },
  features: { columns: ['amount', 'rate'], aggregateDays: 7 },
  training: { local: ['python', 'training/train.py'] },
  windows: { month: 28, all: { since: '2026-01-01' } },
  schedule: { cron: 'cron(0 6 ? * MON *)', timezone: 'UTC' },
  escalation: ['risk-lead'],
};

let root: string | undefined;
let count = 0;
/** Removes the folders that a file of tests has made. */
export async function removeFolders(): Promise<void> {
  if (root !== undefined) await rm(root, { recursive: true });
  root = undefined;
}

/** Each model has a folder of its own, because a module that was imported once is never read again. */
export async function folderOf(
  source: unknown,
  without: 'sql' | 'training' | 'nothing' = 'nothing',
  name?: string,
): Promise<string> {
  root ??= await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
  const folder = join(root, name ?? `model-${String((count += 1))}`);
  await mkdir(join(folder, 'features'), { recursive: true });
  if (without !== 'training') await mkdir(join(folder, 'training'));
  if (without !== 'training') await writeFile(join(folder, 'training/train.py'), 'print()');
  if (without !== 'sql') await writeFile(join(folder, 'features/daily.sql'), 'select 1');
  await writeFile(join(folder, 'features/features.sql'), 'select 2');
  await writeFile(
    join(folder, 'model.ts'),
    typeof source === 'string' ? source : `export default ${JSON.stringify(source)};`,
  );
  return folder;
}
