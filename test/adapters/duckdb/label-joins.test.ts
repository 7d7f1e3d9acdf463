import { expect, it } from 'vitest';
import { measureLabelJoins } from '#adapters/duckdb/label-joins.ts';
import { joinLines, joinText, withWorstDay } from '#domain/data/label-joins.ts';
import { definition, eventsOf, workspace } from './_fixture.ts';

const { parquet } = workspace();
const DAYS = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'];

const label = (id: string, seen: string, bad = true): string =>
  `SELECT '${id}' AS id, ${bad} AS bad, TIMESTAMP '${seen}' AS seen`;

/** What is lost of two events on each of four days, and of what else is delivered. */
async function measured(
  arrived: Readonly<Record<string, readonly string[]>>,
  more: Readonly<Record<string, string>> = {},
) {
  const events = await Promise.all(
    DAYS.map(async (day) => {
      const own = `FROM (${eventsOf(day, 2)})`;
      return {
        day,
        file: await parquet(`${day}.parquet`, [own, ...(more[day] ? [more[day]] : [])].join(' UNION ALL ')),
      };
    }),
  );
  const labels = await Promise.all(
    Object.entries(arrived).map(async ([day, rows]) => ({
      day,
      file: await parquet(`labels-${day}.parquet`, rows.join(' UNION ALL ')),
    })),
  );
  const result = await measureLabelJoins({ events, labels, definition });
  if (result.kind === 'refused') throw new Error(result.refusal.found);
  return result.joins;
}

it('labels that all meet their events lose nothing, and the newest events may get theirs yet', async () => {
  // Labels are there two days after their event.
  const joins = await measured({
    '2026-03-03': ['2026-03-01-0', '2026-03-01-1'].map((id) => label(id, '2026-03-03')),
    '2026-03-04': ['2026-03-02-0', '2026-03-02-1'].map((id) => label(id, '2026-03-04')),
  });
  expect(joins).toMatchObject({ events: 4, labelled: 4, due: 4, unmatched: 0, repeated: 0, early: 0, days: [] });
  expect(joinLines(joins)).toEqual([]);
  expect(joinText(joins)).toBe('each of 4 events has its label, and each label its event');
  expect(joinText(await measured({ '2026-03-02': [label('2026-03-01-0', '2026-03-02')] }))).toBe(
    'no event is old enough to have its label',
  );
});

it('every loss is counted, and told in a line', async () => {
  const joins = await measured(
    {
      '2026-03-03': [label('ghost', '2026-03-03'), label('2026-03-01-0', '2026-03-03')],
      '2026-03-04': [
        label('ghost-2', '2026-03-04'),
        label('ghost-3', '2026-03-04'),
        label('2026-03-01-0', '2026-03-04', false),
        // Two that arrived at once and disagree are one label of one event.
        label('2026-03-02-0', '2026-03-04'),
        label('2026-03-02-0', '2026-03-04', false),
      ],
      // Long before what it speaks of.
      '2026-02-27': [label('2026-03-02-1', '2026-02-27')],
    },
    { '2026-03-02': `SELECT '2026-03-01-1', 'c9', TIMESTAMP '2026-03-02 05:00:00', 1.0` },
  );
  expect(joins).toEqual({
    events: 5,
    labelled: 3,
    labels: 8,
    replaced: 2,
    corrected: 2,
    early: 1,
    repeated: 1,
    due: 5,
    unmatched: 3,
    days: [
      { day: '2026-03-03', due: 1, unmatched: 1 },
      { day: '2026-03-04', due: 4, unmatched: 2 },
    ],
  });
  expect(joinLines(withWorstDay(joins))).toEqual([
    '2 of 5 events have no label',
    '3 of 5 labels meet no event, most on 2026-03-04: 2 of 4',
    '2 of 8 labels are replaced by a later one, 2 events are corrected by it',
    '1 ids are of several events, such as one on two days: training refuses them',
    '1 of 3 labels arrived before their event',
  ]);
});

it('what cannot be read is refused by name', async () => {
  const file = await parquet('labels.parquet', 'SELECT 1 AS other');
  const events = [{ day: '2026-03-01', file: await parquet('e.parquet', eventsOf('2026-03-01', 2)) }];
  expect(await measureLabelJoins({ events, labels: [{ day: '2026-03-03', file }], definition })).toMatchObject({
    kind: 'refused',
    refusal: { rule: 'source-columns-declared' },
  });
});
