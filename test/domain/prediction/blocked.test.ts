import { expect, it } from 'vitest';
import { unscoredDays } from '#domain/prediction/blocked.ts';

const refusal = { rule: 'feature-sql-runs', found: 'no column x', remedy: 'correct the SQL' } as const;
const nothing = { daily: [], features: [], scored: [] };

it('each day that was not scored has a cause, also one that no batch spoke of', () => {
  const features = [{ day: '2026-03-02', ...refusal }];
  expect(unscoredDays(['2026-03-01', '2026-03-02'], { ...nothing, features })).toEqual([
    {
      day: '2026-03-01',
      rule: 'due-days-scored',
      found: 'no predictions were made, and no batch said why',
      remedy: 'read the logs of the functions features and score',
    },
    { day: '2026-03-02', ...refusal },
  ]);
});

it('a day that only lacks its inputs has the cause of the newest of these', () => {
  const lacking = { day: '2026-03-03', rule: 'inputs-built', found: 'daily are not built', remedy: '' } as const;
  const daily = ['2026-03-01', '2026-03-02'].map((day) => ({ ...refusal, day, found: day }));
  const causes = (of: typeof daily) => unscoredDays(['2026-03-03'], { ...nothing, features: [lacking], daily: of });
  expect(causes(daily)).toEqual([{ ...refusal, day: '2026-03-03', found: '2026-03-02' }]);
  expect(causes([])).toEqual([lacking]);
});
