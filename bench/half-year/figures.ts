// The figures that targets were set for.
import { type Figure, figure } from '../_report.ts';
import type { Findings } from './document.ts';
import type { Played } from './simulate.ts';
import { DISAGREEMENT } from './skew.ts';
import { OURS } from './strategies.ts';
import type { Trials } from './studies.ts';

/** What was found, beside the habit of taking what is better on the holdout, and what was asked. */
export function figuresOf(found: Findings, minutes: number): Figure[] {
  const { worlds, fates, skew, identical, aa, power } = found;
  const regret = (played: readonly Played[], name: string): number =>
    100 * (played.find(({ strategy }) => strategy.name === name)?.outcome.regret ?? Number.NaN);
  const habit = (played: readonly Played[]) =>
    ['better on the holdout', regret(played, 'better on the holdout')] as const;
  const none = ['no anchor', null] as const;
  const ours = fates.find(({ strategy }) => strategy === OURS)?.fates ?? [];
  const holdout = fates.find(({ strategy }) => strategy === 'better on the holdout')?.fates ?? [];
  const stopped = (of: typeof ours): number => of.filter(({ fate }) => fate !== 'served').length;
  const skewed = skew.filter(({ isSkewed }) => isSkewed);
  // A week in which the rule does not find it counts as the whole week.
  const days = skewed.map(({ fastDays }) => fastDays ?? 7).toSorted((a, b) => a - b);
  const share = (trials: readonly Trials[], wanted: Partial<Trials>): number => {
    const one = trials.find((each) => Object.entries(wanted).every(([key, value]) => Reflect.get(each, key) === value));
    return one === undefined ? Number.NaN : one.promoted / one.trials;
  };
  const asked = { days: 14, gain: 0, minimumImprovement: 0.01 } as const;
  const others = (trials: readonly Trials[], wanted: Partial<Trials>, by = 1) =>
    ['releases of different weeks', by * share(trials, { made: 'exchanged', ...wanted })] as const;
  const twins = (trials: readonly Trials[], wanted: Partial<Trials>): number =>
    share(trials, { made: 'twins', ...wanted });
  return [
    figure('regret without faults', '%', regret(worlds.clean, OURS), habit(worlds.clean), { oursAtMost: 0.6 }),
    figure('regret with eight faults', '%', regret(worlds.faulty, OURS), habit(worlds.faulty), { oursAtMost: 0.8 }),
    figure('faults blocked or rolled back', 'of 8', stopped(ours), ['better on the holdout', stopped(holdout)], {
      oursAtLeast: ours.length,
    }),
    figure('skew rolled back, by labels: median', 'days', days[Math.floor(days.length / 2)] ?? Number.NaN, none, {
      oursAtMost: 3,
    }),
    figure(
      `skew seen on day 1, by disagreement above ${DISAGREEMENT}`,
      '% of weeks',
      (100 * skewed.filter(({ disagreement }) => disagreement > DISAGREEMENT).length) / skewed.length,
      [
        'healthy weeks',
        (100 * skew.filter((each) => !each.isSkewed && each.disagreement > DISAGREEMENT).length) / skewed.length,
      ],
      { oursAtLeast: 100 },
    ),
    figure('A/A promoted, twins, 14 days, 1 % asked', '%', 100 * twins(aa, asked), others(aa, asked, 100), {
      oursAtMost: 2,
    }),
    figure('identical artefact promoted', '%', (100 * identical.promoted) / identical.trials, none, { oursAtMost: 0 }),
    ...(
      [
        [0.01, 0.7],
        [0.02, 0.95],
      ] as const
    ).map(([gain, oursAtLeast]) =>
      figure(
        `power at a gain of ${100 * gain} %, twins, 14 days`,
        'share',
        twins(power, { days: 14, gain }),
        others(power, { days: 14, gain }),
        { oursAtLeast },
      ),
    ),
    figure('the whole bench', 'min', minutes, none, { oursAtMost: 30 }),
  ];
}
