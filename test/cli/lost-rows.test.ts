import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { main } from '#cli/program.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const DAYS = daysBetween('2024-02-20', '2024-02-28');

/** What a source does to the ids of four events a day, and to their labels, which arrive on the next day. */
interface Source {
  /** The id of the n-th event of a day, as events and as labels have it. */
  readonly event?: string;
  readonly label?: string;
  /** Labels of the arrival day besides. */
  readonly more?: string;
  /** How many days after its event a label arrives. */
  readonly after?: number;
}
const ID = `strftime(day, '%m%d') || n`;
const SOURCES = {
  healthy: {},
  // The producer of labels keeps its ids as numbers: leading zeros are gone.
  'leading zeros': { label: `CAST(CAST(${ID} AS BIGINT) AS VARCHAR)` },
  // The same letter, as one character and as two.
  accents: { event: `'é' || ${ID}`, label: `'e' || chr(769) || ${ID}` },
  'every other': { label: `CASE WHEN n % 2 = 0 THEN ${ID} ELSE 'x' || ${ID} END` },
  ghosts: { more: `SELECT 'ghost-' || event_id AS event_id, true AS outcome, arrived_at FROM labelled` },
  early: { after: -1 },
  twice: { more: 'SELECT * REPLACE (arrived_at + INTERVAL 1 MINUTE AS arrived_at) FROM labelled' },
} as const satisfies Readonly<Record<string, Source>>;

let folder = '';
const given = new Map<string, string[]>();
beforeAll(async () => {
  await mkdir(join(REPOSITORY, '.gatehouse'), { recursive: true });
  // Below the repository, so that a model's own imports find the project.
  folder = await mkdtemp(join(REPOSITORY, '.gatehouse', 'lost-rows-'));
  await gatehouse('model', 'new', 'churn');
  const model = join(folder, 'models/churn');
  const text = await readFile(join(model, 'model.ts'), 'utf8');
  // Three days are trained on, by a program that takes no time.
  await writeFile(
    join(model, 'model.ts'),
    text
      .replace('matureAfterDays: 3', 'matureAfterDays: 1')
      .replace('  windows:', '  evaluation: { selectionDays: 2, testDays: 3 },\n  windows:')
      .replace(`['python', 'training/train.py']`, `['node', 'training/train.mjs']`),
  );
  await writeFile(join(model, 'model.onnx'), constantModel({ baseRate: 0.5, features: 4 }));
  await writeFile(
    join(model, 'training/train.mjs'),
    `import { cpSync } from 'node:fs';\ncpSync('model.onnx', process.env.SM_MODEL_DIR + '/model.onnx');\n`,
  );
  await withDatabase('512MB', async (connection) => {
    for (const [source, { event = ID, label = event, more, after = 1 }] of Object.entries<Source>(SOURCES)) {
      const files: string[] = ['--events'];
      const write = async (kind: string, day: string, select: string) => {
        const file = join(folder, source, kind, `dt=${day}`, 'part.parquet');
        await mkdir(join(file, '..'), { recursive: true });
        await connection.run(`COPY (${select}) TO ${literal(file)} (FORMAT parquet)`);
        files.push(file);
      };
      const ofDay = (day: string) =>
        `SELECT *, CAST(day AS TIMESTAMP) + to_hours(CAST(n * 5 AS BIGINT)) AS occurred_at FROM (SELECT DATE ${literal(day)} AS day, n FROM range(4) AS t(n))`;
      for (const day of DAYS)
        await write(
          'events',
          day,
          `SELECT ${event} AS event_id, occurred_at, 'c' || n AS customer, n::DOUBLE AS amount FROM (${ofDay(day)})`,
        );
      files.push('--labels');
      for (const day of DAYS.filter((each) => after < 0 || each >= addDays(DAYS[0] ?? '', after))) {
        const labelled = `SELECT ${label} AS event_id, n < 2 AS outcome, occurred_at + to_days(${after}) AS arrived_at FROM (${ofDay(addDays(day, -after))})`;
        await write(
          'labels',
          day,
          `WITH labelled AS (${labelled}) FROM labelled ${more === undefined ? '' : `UNION ALL ${more}`}`,
        );
      }
      given.set(source, files);
    }
  });
});
afterAll(() => rm(folder, { recursive: true }));

async function gatehouse(...args: readonly string[]) {
  const terminal = silentTerminal({ GATEHOUSE_HOME: join(folder, 'home') });
  const code = await main(['--models', join(folder, 'models'), ...args], terminal);
  return { code, out: terminal.shown.out, err: terminal.shown.err };
}
const train = (source: keyof typeof SOURCES, ...more: readonly string[]) =>
  gatehouse('model', 'train', 'churn', ...(given.get(source) ?? []), ...more);

describe('model train', () => {
  it('says nothing of rows that are lost where none are', async () => {
    const { code, out, err } = await train('healthy');
    expect({ code, err }).toMatchObject({ code: 0, err: expect.not.stringMatching(/label|event.* no /) });
    expect(out).toMatch(/rows +\d+, \d+ positive/);
    expect(out).toContain('not compared with the trainer: it left no predictions.parquet');
  });

  it('trains each window that fits, on what had arrived as of a day', async () => {
    const windowsOf = async (...more: readonly string[]) =>
      JSON.parse((await train('healthy', '-o', 'json', ...more)).out);
    const { asOf, windows } = await windowsOf();
    expect({ asOf, windows }).toMatchObject({ asOf: '2024-02-29', windows: [{ window: { name: 'everything' } }] });
    const earlier = await windowsOf('--as-of', '2024-02-28');
    expect(earlier).toMatchObject({ asOf: '2024-02-28', windows: [{ rows: windows[0].rows - 4 }] });
    expect((await train('healthy')).err).toContain('window fortnight is left out: it would begin on 2024-02');
    expect(await train('healthy', '--as-of', '2024-02-21')).toMatchObject({
      code: 1,
      err: expect.stringContaining('history-long-enough'),
    });
  });

  it('refuses a program that fails, with what it printed', async () => {
    const program = join(folder, 'models/churn/training/train.mjs');
    const whole = await readFile(program, 'utf8');
    await writeFile(program, 'console.error("no rows"); process.exit(1);');
    const { code, err } = await train('healthy');
    await writeFile(program, whole);
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('refused by training-succeeds') });
    expect(err).toContain('no rows');
  });

  it.each(['leading zeros', 'accents'] as const)('refuses %s: no label met an event', async (source) => {
    const { code, err } = await train(source);
    expect(code).toBe(1);
    expect(err).toMatch(/no label met an event: \d+ labels had arrived, \d+ events are there from 2024-02-20 to/);
    expect(err).toContain('leading zeros');
  });

  it.each<[keyof typeof SOURCES, RegExp]>([
    ['every other', /(\d+) of (\d+) events have no label\n.*\d+ of \d+ labels meet no event, most on 2024-02-2/],
    ['ghosts', /(\d+) of (\d+) labels meet no event, most on 2024-02-2/],
    ['early', /(\d+) of (\d+) labels arrived before their event/],
    ['twice', /(\d+) of (\d+) labels are replaced by a later one, 0 events are corrected by it/],
  ])('says what is lost of a source with %s, before it trains and after', async (source, line) => {
    const { code, out, err } = await train(source);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringMatching(line) });
    expect(out).toMatch(line);
    const [, lost, all] = line.exec(out) ?? [];
    expect(Number(lost)).toBeGreaterThan(0);
    // All early labels are; half of the others are lost.
    expect(Number(lost) / Number(all)).toBe(source === 'early' ? 1 : 0.5);
  });
});

describe('model features', () => {
  const features = async (source: keyof typeof SOURCES) =>
    JSON.parse((await gatehouse('model', 'features', 'churn', '-o', 'json', ...(given.get(source) ?? []))).out);

  it('counts what labels and events of the given days lose', async () => {
    const events = 4 * DAYS.filter((day) => day <= addDays(DAYS.at(-1) ?? '', -1)).length;
    const healthy = { events, labelled: events, replaced: 0, early: 0, repeated: 0, unmatched: 0, days: [] };
    expect(await features('healthy')).toMatchObject({ joins: healthy });
    expect(await features('every other')).toMatchObject({
      joins: { ...healthy, labelled: events / 2, unmatched: 16, days: {} },
    });
    expect(await features('early')).toMatchObject({ joins: { early: events - 4 } });
  });

  it('says so in a line, and which of the given files are no data', async () => {
    const hidden = join(folder, 'ghosts/labels/dt=2024-02-21/.part.parquet.crc');
    const { out, err } = await gatehouse('model', 'features', 'churn', ...(given.get('ghosts') ?? []), hidden);
    expect(err).toContain(`ignored ${hidden}: a name that begins with _ or a dot is no data`);
    expect(out).toMatch(/32 of 64 labels meet no event/);
  });
});
