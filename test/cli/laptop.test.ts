import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { main } from '#cli/program.ts';
import { byDay } from '#cli/commands/model/local-features.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const DAYS = daysBetween('2026-01-01', '2026-03-01');
let folder = '';
const events: string[] = [];
const labels: string[] = [];

/** Sixty days of purchases whose outcome depends on amount and customer, and arrives a day later. */
beforeAll(async () => {
  await mkdir(join(REPOSITORY, '.gatehouse'), { recursive: true });
  // Below the repository, so that a model's own imports find the project.
  folder = await mkdtemp(join(REPOSITORY, '.gatehouse', 'laptop-'));
  await withDatabase('1GB', async (connection) => {
    for (const day of DAYS) {
      const purchases = `SELECT ${literal(day)} || '-' || i AS event_id, TIMESTAMP ${literal(`${day} 00:00:00`)} + to_minutes(CAST(i * 20 AS BIGINT)) AS occurred_at,
        'c' || (i % 7) AS customer, ((i * 37) % 100)::DOUBLE AS amount FROM range(60) numbers(i)`;
      const outcomes = `SELECT event_id, amount + (i % 7) * 5 > 60 AS outcome, occurred_at + INTERVAL 1 DAY AS arrived_at FROM (${purchases.replace('SELECT', 'SELECT i,')})`;
      for (const [kind, date, sql, files] of [
        ['events', day, purchases, events],
        ['labels', addDays(day, 1), outcomes, labels],
      ] as const) {
        const file = join(folder, kind, `dt=${date}`, 'part.parquet');
        await mkdir(join(file, '..'), { recursive: true });
        await connection.run(`COPY (${sql}) TO ${literal(file)} (FORMAT parquet)`);
        files.push(file);
      }
    }
  });
});
afterAll(() => rm(folder, { recursive: true }));

const ended = (code: number, stdout: string, stderr: string) => ({ code, stdout, stderr });

/** Types a command. */
async function gatehouse(...args: readonly string[]) {
  const terminal = silentTerminal({ GATEHOUSE_HOME: folder });
  const code = await main(['--models', join(folder, 'models'), ...args], terminal);
  return ended(code, terminal.shown.out, terminal.shown.err);
}

describe('a new model on a laptop', () => {
  it('is made and builds features, without any cloud', async () => {
    expect(await gatehouse('model', 'new', 'churn')).toMatchObject({ code: 0 });
    const built = await gatehouse(
      'model',
      'features',
      'churn',
      '-o',
      'json',
      '--events',
      ...events,
      '--labels',
      ...labels,
    );
    expect(built.stderr).toBe('');
    expect(JSON.parse(built.stdout)).toMatchObject({ features: [{ day: '2026-03-01', rows: 60 }] });
  });

  it('is checked on files as the pipeline checks partitions and training rows', async () => {
    await gatehouse('model', 'new', 'checked');
    const days = ['2026-02-27', '2026-02-28', '2026-03-01'];
    const spoilt = join(folder, 'spoilt/dt=2026-02-28/part.parquet');
    await mkdir(join(spoilt, '..'), { recursive: true });
    const of = (files: readonly string[], day: string): string => files.find((file) => file.includes(day)) ?? '';
    await withDatabase('1GB', (connection) =>
      connection.run(
        `COPY (SELECT * REPLACE (amount - 3 AS amount) FROM read_parquet(${literal(of(events, '2026-02-28'))}, hive_partitioning = false)) TO ${literal(spoilt)} (FORMAT parquet)`,
      ),
    );
    const given = days.map((day) => (day === '2026-02-28' ? spoilt : of(events, day)));
    const arrived = ['2026-02-28', '2026-03-01', '2026-03-02'].map((day) => of(labels, day));
    // The template's labels are due after three days: only the first of these days is judged as training rows.
    const { code, stdout, stderr } = await gatehouse(
      'model',
      'check',
      'checked',
      '--events',
      ...given,
      '--labels',
      ...arrived,
    );
    expect(stdout).toContain('checked on the given files: FAIL\n  events of 3 days and labels of 3');
    expect(stdout).toContain('60 training rows of 1 days');
    expect(stdout).toMatch(
      /events of 2026-02-28: expect_column_values_to_be_between\(column=amount, min_value=0\.0\): 2 of 60 values, such as -\d/,
    );
    expect(stdout).not.toContain('events of 2026-02-27: expect');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('refused by data-valid') });
  });

  it('is checked on files of one model only, and with events where there are labels', async () => {
    const check = (...args: readonly string[]) => gatehouse('model', 'check', 'churn', ...args);
    expect(await check('--labels', 'a')).toMatchObject({ code: 2, stderr: 'error: --labels needs --events\n' });
    const stderr = 'error: --events are of one model: name one of churn, other\n';
    expect(await check('other', '--events', 'a')).toMatchObject({ code: 2, stderr });
  });

  it('reads files of before a column was added, and refuses those of its first day without it', async () => {
    const features = async (name: string, since: string) => {
      await gatehouse('model', 'new', name);
      const file = join(folder, 'models', name, 'model.ts');
      const later = `columns: { region: { type: 'VARCHAR', since: '${since}', default: null },`;
      await writeFile(file, (await readFile(file, 'utf8')).replace('columns: {', later));
      return gatehouse('model', 'features', name, '--events', ...events.slice(-5), '--labels', ...labels.slice(-6));
    };
    expect(await features('after', '2026-03-02')).toMatchObject({ code: 0, stderr: '' });
    expect(await features('during', '2026-03-01')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'part.parquet of events 2026-03-01: column region is missing, which is declared since 2026-03-01',
      ),
    });
  });

  it('says which days are missing', async () => {
    await gatehouse('model', 'new', 'gap');
    const refused = await gatehouse(
      'model',
      'features',
      'gap',
      '--events',
      ...events,
      '--labels',
      ...labels.filter((file) => !file.includes('2026-02-20')),
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('features of 2026-03-01 need labels of 2026-02-20');
  });

  it('says that a path names no day', () => {
    const notes: string[] = [];
    const context = { note: (line: string) => void notes.push(line) };
    expect(() => byDay(['landing/part.parquet'], context)).toThrow('the path names no day');
    expect(() => byDay(['x/dt=2026-03-01/_SUCCESS'], context)).toThrow('is no data');
    const left = ['_SUCCESS', '_temporary/0/part.parquet', '.part.parquet.crc'].map(
      (name) => `x/dt=2026-03-01/${name}`,
    );
    expect(byDay([...left, 'x/dt=2026-03-01/part.parquet'], context)).toEqual([
      { day: '2026-03-01', file: 'x/dt=2026-03-01/part.parquet' },
    ]);
    expect(notes).toEqual([
      `ignored ${left.join(', ')}: a name that begins with _ or a dot is no data, here as in a landed partition`,
    ]);
  });
});
