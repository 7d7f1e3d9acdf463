import { expect, it } from 'vitest';
import { waitingDays } from '#domain/data/waiting-days.ts';

const source = { source: 'toy/events', readyMarker: '_READY' };
const at = (hour: number) => new Date(Date.UTC(2001, 0, 20, hour));
const landed = (name: string, hour: number) => ({ key: `toy/events/${name}`, at: at(hour) });
const admitted = (day: string, hour: number) => ({ kind: 'events', day, admittedAt: at(hour).toISOString() }) as const;
const found = (...given: Parameters<typeof waitingDays> extends [unknown, unknown, ...infer Rest] ? Rest : never) =>
  waitingDays('events', source, ...given).map(({ day, why, files, since }) => [day, why, files, since.slice(11, 13)]);

it('tells the days whose files have no marker, the oldest first, with their number and when the newest was written', () => {
  const objects = [
    landed('dt=2001-01-12/b.parquet', 7),
    landed('dt=2001-01-12/a.parquet', 9),
    landed('dt=2001-01-12/_SUCCESS', 10),
    landed('dt=2001-01-11/a.parquet', 8),
    landed('dt=2001-01-13/a.parquet', 8),
    landed('dt=2001-01-13/_READY', 8),
  ];
  expect(found(objects, [])).toEqual([
    ['2001-01-11', 'no marker', 1, '08'],
    ['2001-01-12', 'no marker', 2, '09'],
  ]);
  expect(waitingDays('events', source, objects, [])[0]?.marker).toBe('toy/events/dt=2001-01-11/_READY');
});

it('tells a correction that was written after its marker, unless it was admitted since', () => {
  const objects = [landed('dt=2001-01-11/_READY', 8), landed('dt=2001-01-11/a.parquet', 9)];
  expect(found(objects, [admitted('2001-01-11', 8)])).toEqual([['2001-01-11', 'newer than its marker', 1, '09']]);
  expect(found(objects, [])).toEqual([['2001-01-11', 'newer than its marker', 1, '09']]);
  expect(found(objects, [admitted('2001-01-11', 10)])).toEqual([]);
});

it('takes a day that was withdrawn for decided, until something is written to it again', () => {
  const objects = [landed('dt=2001-01-11/a.parquet', 8)];
  expect(found(objects, [admitted('2001-01-11', 9)])).toEqual([]);
  expect(found([...objects, landed('dt=2001-01-11/b.parquet', 10)], [admitted('2001-01-11', 9)])).toEqual([
    ['2001-01-11', 'no marker', 2, '10'],
  ]);
  const labels = { ...admitted('2001-01-11', 9), kind: 'labels' } as const;
  expect(found(objects, [labels])).toHaveLength(1);
});

it('passes over what is no day, hidden files and other readers’ markers, and counts files of other names where there is no data', () => {
  expect(
    found(
      [
        landed('readme.txt', 8),
        landed('dt=2001-01-11/_temporary/0/a.parquet', 8),
        landed('dt=2001-01-12/a.csv', 8),
        landed('dt=2001-01-13/a.parquet', 8),
        landed('dt=2001-01-13/_READY', 8),
        landed('dt=2001-01-13/DONE', 9),
        { key: 'toy/events-of-others/dt=2001-01-14/a.parquet', at: at(8) },
      ],
      [],
    ),
  ).toEqual([['2001-01-12', 'no marker', 1, '08']]);
});
