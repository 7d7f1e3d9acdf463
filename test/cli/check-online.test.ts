// `gatehouse model check` with files of an online model: whether the context that it declares gives the features of the whole day.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { checkOnline } from '#cli/commands/model/check-online.ts';
import { main } from '#cli/program.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { compileModel } from '#model/compile.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const DAYS = daysBetween('2026-02-01', '2026-02-09');
const files: Record<'events' | 'labels', string[]> = { events: [], labels: [] };
let folder = '';

/** Purchases of seven customers, one after the other every twenty minutes: each customer's every 140 minutes. */
beforeAll(async () => {
  await mkdir(join(REPOSITORY, '.gatehouse'), { recursive: true });
  folder = await mkdtemp(join(REPOSITORY, '.gatehouse', 'online-'));
  await withDatabase('1GB', async (connection) => {
    for (const day of DAYS) {
      const purchases = `SELECT i, ${literal(day)} || '-' || i AS event_id, TIMESTAMP ${literal(day)} + to_minutes(CAST(i * 20 AS BIGINT)) AS occurred_at,
        'c' || (i % 7) AS customer, ((i * 37) % 100)::DOUBLE AS amount FROM range(72) numbers(i)`;
      for (const [kind, date, sql] of [
        ['events', day, `SELECT * EXCLUDE (i) FROM (${purchases})`],
        [
          'labels',
          addDays(day, 1),
          `SELECT event_id, amount + (i % 7) * 5 > 60 AS outcome, occurred_at + INTERVAL 1 DAY AS arrived_at FROM (${purchases})`,
        ],
      ] as const) {
        const file = join(folder, kind, `dt=${date}`, 'part.parquet');
        await mkdir(join(file, '..'), { recursive: true });
        await connection.run(`COPY (${sql}) TO ${literal(file)} (FORMAT parquet)`);
        files[kind].push(file);
      }
    }
  });
});
afterAll(() => rm(folder, { recursive: true }));

/** Makes a model of the template that is online with a context, and has one feature as some SQL. */
async function made(name: string, context: string, customerEvents: string) {
  const gatehouse = async (...args: readonly string[]) => {
    const terminal = silentTerminal({ GATEHOUSE_HOME: folder });
    const code = await main(['--models', join(folder, 'models'), ...args], terminal);
    return { code, stdout: terminal.shown.out, stderr: terminal.shown.err };
  };
  await gatehouse('model', 'new', name);
  const change = async (path: string, from: RegExp, to: string): Promise<void> => {
    const file = join(folder, 'models', name, path);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(from);
    await writeFile(file, text.replace(from, to));
  };
  await change('model.ts', /\n {2}training: /, `\n  online: { context: ${context} },\n  training: `);
  await change(
    'features/features.sql',
    /coalesce\(total, 0\) AS customer_events/,
    `${customerEvents} AS customer_events`,
  );
  return {
    name,
    check: () => gatehouse('model', 'check', name, '--events', ...files.events, '--labels', ...files.labels),
  };
}

const count = (condition: string): string =>
  `(SELECT count(*) FROM events AS other WHERE other.customer = events.customer AND ${condition})`;
const LAST_HOURS = count('other.occurred_at BETWEEN events.occurred_at - INTERVAL 3 HOURS AND events.occurred_at');
const context = (within: string): string => `[{ column: 'customer', of: ['customer'], within: '${within}' }]`;

it('passes where the declared context gives the features of the whole day', async () => {
  const { name } = await made('enough', context('3 hours'), LAST_HOURS);
  const home = join(folder, 'models', name);
  const model = { definition: await compileModel(home), folder: home };
  const notes: string[] = [];
  const checked = await checkOnline({ home: folder, note: (line) => void notes.push(line) }, model, files);
  expect(checked).toEqual({
    days: ['2026-02-07', '2026-02-08', '2026-02-09'],
    events: 216,
    different: 0,
    lines: ['  216 events of 2026-02-07, 2026-02-08, 2026-02-09: 216 have the features of the whole day'],
    refusal: undefined,
  });
});

it('refuses a context that is too short, and names feature, event and both values', async () => {
  const { check } = await made('short', context('2 hours'), LAST_HOURS);
  const { code, stdout, stderr } = await check();
  expect(code).toBe(1);
  expect(stdout).toMatch(/short on request\n {2}216 events of .*: \d+ have the features of the whole day/);
  expect(stderr).toContain('refused by context-suffices');
  expect(stderr).toMatch(
    /customer_events of event_id 2026-02-07-0 is 3 of the whole day, 2 of the declared context; \d+ of 216 events differ/,
  );
});

it('refuses features that read what happens later on the day', async () => {
  const wholeDay = count('CAST(other.occurred_at AS DATE) = CAST(events.occurred_at AS DATE)');
  const { check } = await made('ahead', context('48 hours'), wholeDay);
  const { code, stderr } = await check();
  expect(code).toBe(1);
  expect(stderr).toContain('refused by features-known-in-time');
  expect(stderr).toMatch(
    /customer_events of event_id 2026-02-07-0 is 11 of the whole day, 1 of what happened until the event; \d+ of 216/,
  );
});
