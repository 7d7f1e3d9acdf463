import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Row, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { joinLines } from '#domain/data/label-joins.ts';
import { addDays } from '#domain/data/partition.ts';
import { definition, featuresOf, labelsOf, workspace } from './_fixture.ts';

const { path, parquet } = workspace();
const day = '2026-03-01';

async function labels(select = labelsOf(day, '2026-03-02')): Promise<{ day: string; file: string }[]> {
  return [{ day: '2026-03-02', file: await parquet('labels.parquet', select) }];
}

/** All files, as a training program reads them: sorted by their names. */
function trainingRows(): Promise<Row[]> {
  return withDatabase('512MB', (connection) => rowsOf(connection, `FROM read_parquet('${path('train')}/*.parquet')`));
}

describe('exportTrainingRows', () => {
  it('joins features with labels, id and day first and the label as 0 or 1 last', async () => {
    const input = {
      features: [{ day, file: await parquet('f.parquet', featuresOf(day)) }],
      labels: await labels(),
      definition,
      out: path('train'),
    };
    const first = await exportTrainingRows(input);
    expect(first).toMatchObject({ kind: 'built', rows: 6, positives: 3 });
    const [row, , third] = await trainingRows();
    expect(
      Object.entries(row ?? {}).map(([column, value]) => [
        column,
        value instanceof Date ? value.toISOString().slice(0, 10) : value,
      ]),
    ).toEqual([
      ['id', '2026-03-01-0'],
      ['day', day],
      ['amount', 0.5],
      ['rate', 0],
      ['bad', 0],
    ]);
    expect(third).toMatchObject({ rate: null });
    const bytes = () => readFile(path(`train/train-${day}.parquet`));
    const before = await bytes();
    expect(await exportTrainingRows(input)).toEqual(first);
    expect((await bytes()).equals(before)).toBe(true);
  });

  it('writes each day by itself, and all of them in the order of one file', async () => {
    const days = ['2026-03-03', '2026-03-01', '2026-03-02'];
    const features = await Promise.all(
      days.map(async (of) => ({ day: of, file: await parquet(`${of}.parquet`, `${featuresOf(of)} ORDER BY id DESC`) })),
    );
    const arrived = days.map((of) => `FROM (${labelsOf(of, '2026-03-05', of === '2026-03-02' ? 0 : 6)})`);
    await mkdir(path('train'), { recursive: true });
    await writeFile(path('train/of-an-earlier-run.parquet'), 'rows');
    const result = await exportTrainingRows({
      features,
      labels: [{ day: '2026-03-05', file: await parquet('arrived.parquet', arrived.join(' UNION ALL ')) }],
      definition,
      out: path('train'),
    });
    // The day without a label has a file without rows: what a program reads has its columns all the same.
    const files = days.toSorted().map((of) => path(`train/train-${of}.parquet`));
    expect(result).toMatchObject({ kind: 'built', rows: 12, positives: 6, files });
    expect((await readdir(path('train'))).toSorted().map((file) => path(`train/${file}`))).toEqual(files);
    const ids = (await trainingRows()).map((row) => String(row['id']));
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids.map((id) => id.slice(0, 10)))).toEqual(new Set(['2026-03-01', '2026-03-03']));
  });

  it('needs memory for one day, however many there are; a day that does not fit is refused by name', async () => {
    const columns = Array.from({ length: 20 }, (_, index) => `f${index}`);
    const wide = { ...definition, features: { ...definition.features, columns } };
    const rows = 25_000;
    const ofDay = async (of: string, count: number) => {
      const values = columns.map((column, index) => `(i * ${index + 1} % 977)::FLOAT AS ${column}`);
      const select = `SELECT '${of}-' || i AS id, 'c' AS card, TIMESTAMP '${of}' AS paid, ${values.join(', ')} FROM range(${count}) AS t(i)`;
      return { day: of, file: await parquet(`wide-${of}.parquet`, select) };
    };
    const days = Array.from({ length: 16 }, (_, index) => addDays('2026-01-01', index));
    const features = [];
    for (const of of days) features.push(await ofDay(of, rows));
    const arrived = days.map(
      (of) => `FROM (${labelsOf(of, '2026-03-05', rows).replace('to_hours(i)', 'to_milliseconds(i::BIGINT)')})`,
    );
    const input = {
      labels: [{ day: '2026-03-05', file: await parquet('many.parquet', arrived.join(' UNION ALL ')) }],
      definition: wide,
      out: path('train'),
      memory: '64MiB',
    };
    // All rows together are 400,000 x 20 x 4 bytes = 32 MB, in the join and once more sorted.
    expect(await exportTrainingRows({ ...input, features })).toMatchObject({ rows: 400_000, positives: 200_000 });
    const large = await ofDay('2026-02-20', 200_000);
    const labelled = await parquet(
      'large.parquet',
      labelsOf('2026-02-20', '2026-02-20', 200_000).replace('to_hours(i)', 'to_milliseconds(i::BIGINT)'),
    );
    const result = await exportTrainingRows({
      ...input,
      features: [large],
      labels: [{ day: '2026-02-20', file: labelled }],
      memory: '32MiB',
    });
    expect(result).toEqual({
      kind: 'refused',
      refusal: {
        rule: 'data-fits-in-memory',
        found: "features of 2026-02-20, 200000 rows of 20 features: more than the engine's 32MiB",
        remedy: expect.stringContaining('make partitions smaller'),
      },
    });
  }, 60_000);

  it('counts what the join loses: events without label, labels without event, early, again and otherwise', async () => {
    const days = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'];
    const features = await Promise.all(
      days.map(async (of) => ({ day: of, file: await parquet(`j-${of}.parquet`, featuresOf(of)) })),
    );
    const label = (id: string, seen: string, bad = true) =>
      `SELECT '${id}' AS id, ${bad} AS bad, TIMESTAMP '${seen}' AS seen`;
    const arrived: Readonly<Record<string, readonly string[]>> = {
      // Too soon to say: of an event before the first day, it may be.
      '2026-03-02': [label('2026-02-28-0', '2026-03-02'), label('2026-03-04-5', '2026-03-02')],
      '2026-03-03': [
        label('ghost-1', '2026-03-03'),
        label('ghost-2', '2026-03-03'),
        label('2026-03-01-0', '2026-03-03 01:00:00'),
        label('2026-03-01-1', '2026-03-03'),
        label('2026-03-01-1', '2026-03-03'),
      ],
      '2026-03-04': [label('2026-03-01-0', '2026-03-04', false), label('ghost-3', '2026-03-04')],
      '2026-03-05': [label('2026-03-05-0', '2026-03-05')],
    };
    const labelled = await Promise.all(
      Object.entries(arrived).map(async ([of, rows]) => ({
        day: of,
        file: await parquet(`j-labels-${of}.parquet`, rows.join(' UNION ALL ')),
      })),
    );
    const result = await exportTrainingRows({ features, labels: labelled, definition, out: path('train') });
    expect(result).toMatchObject({
      rows: 3,
      joins: {
        events: 24,
        labelled: 3,
        labels: 10,
        replaced: 2,
        corrected: 1,
        early: 1,
        due: 5,
        unmatched: 3,
        days: [
          {
            day: '2026-03-03',
            due: 3,
            unmatched: 2,
          },
          {
            day: '2026-03-04',
            due: 2,
            unmatched: 1,
          },
        ],
      },
    });
    if (result.kind === 'built')
      expect(joinLines(result.joins)).toEqual([
        '21 of 24 events have no label',
        '3 of 5 labels meet no event, most on 2026-03-03: 2 of 3',
        '2 of 10 labels are replaced by a later one, 1 events are corrected by it',
        '1 of 3 labels arrived before their event',
      ]);
  });

  it('refuses rows of which there is none, and says that no label met an event', async () => {
    const result = await exportTrainingRows({
      features: [{ day, file: await parquet('f.parquet', featuresOf(day)) }],
      labels: await labels(`SELECT * REPLACE ('0' || id AS id) FROM (${labelsOf(day, '2026-03-02')})`),
      definition,
      out: path('train'),
    });
    expect(result).toMatchObject({
      kind: 'refused',
      refusal: {
        rule: 'labels-match-events',
        found: `no label met an event: 6 labels had arrived, 6 events are there from ${day} to ${day}`,
      },
    });
  });

  it('takes the label that arrived last, and no row without one', async () => {
    const later = {
      day: '2026-03-03',
      file: await parquet('later.parquet', `SELECT '2026-03-01-0' AS id, true AS bad, TIMESTAMP '2026-03-03' AS seen`),
    };
    const features = [{ day, file: await parquet('f.parquet', featuresOf(day)) }];
    const result = await exportTrainingRows({
      features,
      labels: [later, ...(await labels(labelsOf(day, '2026-03-02', 4)))],
      definition,
      out: path('train'),
    });
    expect(result).toMatchObject({ rows: 4, positives: 3 });
    expect((await trainingRows()).map((row) => row['bad'])).toEqual([1, 1, 0, 1]);
  });

  it.each([
    ['an id in two partitions', featuresOf('2026-03-01'), labelsOf(day, '2026-03-02'), 'row-ids-unique'],
    [
      'two labels that arrived at once',
      featuresOf('2026-03-04'),
      `FROM (${labelsOf(day, '2026-03-02')}) UNION ALL SELECT '2026-03-01-0', true, TIMESTAMP '2026-03-02'`,
      'newest-label-unique',
    ],
    ['features without a declared column', 'SELECT 1 AS other', labelsOf(day, '2026-03-02'), 'source-columns-declared'],
    [
      'a label of another type',
      featuresOf('2026-03-04'),
      `SELECT * REPLACE (bad::INTEGER AS bad) FROM (${labelsOf(day, '2026-03-02')})`,
      'source-columns-declared',
    ],
  ])('refuses %s', async (_, more, labelled, rule) => {
    const features = [
      { day, file: await parquet('f.parquet', featuresOf(day)) },
      { day: '2026-03-04', file: await parquet('g.parquet', more) },
    ];
    const result = await exportTrainingRows({
      features,
      labels: await labels(labelled),
      definition,
      out: path('train'),
    });
    expect(result).toMatchObject({ kind: 'refused', refusal: { rule } });
  });
});
