// docs/decision-quality.md, as the bench found it: tables, pictures, and what they do not say.
import { FAULTS } from './faults.ts';
import type { DiaryEntry, FaultFate, Played } from './simulate.ts';
import type { SkewTrial } from './skew.ts';
import { DISAGREEMENT } from './skew.ts';
import { type Moved, PAGED } from './stability.ts';
import type { Trials } from './studies.ts';
import { percent } from '#domain/text.ts';

/** All that a run of the bench found. */
export interface Findings {
  readonly share: number;
  readonly schedule: string;
  readonly cost: { readonly miss: number; readonly falseAlarm: number };
  readonly flights: number;
  readonly served: number;
  readonly worlds: { readonly clean: readonly Played[]; readonly faulty: readonly Played[] };
  readonly fates: readonly { readonly strategy: string; readonly fates: readonly FaultFate[] }[];
  readonly diaries: { readonly clean: readonly DiaryEntry[]; readonly faulty: readonly DiaryEntry[] };
  readonly skew: readonly SkewTrial[];
  readonly moved: { readonly clean: readonly Moved[]; readonly faulty: readonly (Moved & { readonly kind: string })[] };
  readonly identical: Trials;
  readonly aa: readonly Trials[];
  readonly power: readonly Trials[];
}

/** The document; pictures lie beside it in `decision-quality/`. */
export function documentOf(found: Findings, command: string, figures: string): string {
  const { share, cost, flights, served, worlds } = found;
  return `# Decision quality: a governed half-year

<!-- Made by bench/half-year.ts; change that, not this. -->

${flights.toLocaleString('en')} flights of the first half of 2001${share === 1 ? '' : ` (${100 * share} % of all)`} go by once more, and each Monday the
reference model is retrained. What is done with the candidate is decided by common habits and by this pipeline, from what
was known at the time: features by the model's SQL, training by its program, scoring, comparison and live judgement by the
product's own code and the model's compiled policy. ${served.toLocaleString('en')} flights of 22 weeks are served. \`${command}\` makes this page.

Regret is the log loss of what was served, over that of the best release of each week *in hindsight* among those that runs
without faults had trained by then: nobody can reach 0. *Bad* is a promotion that lost more in its first week than what it
replaced would have; *missed* a candidate that was left out and would have gained half a percent or more in the week. Cost
is per thousand flights, a missed delay at ${cost.miss} and a false alarm at ${cost.falseAlarm}, alarms above a probability of ${(cost.falseAlarm / (cost.falseAlarm + cost.miss)).toFixed(2)}.

## Without faults

${outcomeTable(worlds.clean)}

## With eight faults

${outcomeTable(worlds.faulty)}

![Regret so far, with faults](decision-quality/regret.svg)

Dashed lines are the weeks with a fault: ${found.schedule.replaceAll(',', ', ')}. A damaged source is damaged in the six weeks before
the run, and corrected by the next Monday; what is wrong with a release stays with it for as long as it serves.

${fateTable(found)}

\`PSI\` is the largest population stability index of a stable input on the run's test days against those of the week
before; above ${PAGED} it pages, and it decides nothing. The ${found.moved.clean.length} weeks without a fault had at most ${Math.max(...found.moved.clean.map(({ index }) => index)).toFixed(3)}.

## What ours did

*Gain* is told in hindsight: what the candidate would have saved in the week against what served.

Without faults:

${diaryTable(found.diaries.clean)}

With faults:

${diaryTable(found.diaries.faulty)}

## Skew between training and serving

Each week's candidate is served in place of the one before, as it is and on UTC instead of the local clock. The fast rule
looks once a day at the labels that have been there for a day; the disagreement is the mean distance of both releases'
logits on the first day served, over the same on the test days, and needs no label.

${skewTable(found.skew)}

## How often the comparison is wrong, and what it sees

Real releases on real days, in windows that begin a week apart; the losses of two releases are scaled so that both lose the
same over all their days. *Exchanged*: on each day a coin says which of the two is the candidate, so that neither is better
in any sense; then the gain is given to the candidate. *As they are*: the later release is the candidate. It is no better over
all their days, but in some fortnights it truly is, and what is promoted there is right for the fortnight and wrong for the
months: a holdout of two weeks cannot know. *Twins*: two trainings of one recipe, on the odd and on the even days of one window,
exchanged like the others: they differ as two trainings do.

${trialsTable([found.identical, ...found.aa], 'identical artefact')}

${trialsTable(found.power)}

![Power](decision-quality/power.svg)

## What the probabilities are worth

![Late flights by week](decision-quality/weeks.svg)

The base rate swings, and the model follows it late: a week's probabilities can be off by half. The comparison is made for
that, a threshold that somebody has fixed is not.

## Targets

${figures}

## Limits

${limits(found)}
`;
}

function outcomeTable(played: readonly Played[]): string {
  return table(
    [
      'strategy',
      'regret',
      'second half',
      'log loss',
      'Brier',
      'PR-AUC',
      'cost',
      'promotions',
      'bad',
      'missed',
      'rolled back',
      'days of bad ones',
    ],
    played.map(({ strategy, outcome, averagePrecision }) => [
      strategy.name,
      percent(outcome.regret),
      percent(outcome.lateRegret),
      outcome.logLoss.toFixed(4),
      outcome.brier.toFixed(4),
      averagePrecision.toFixed(3),
      outcome.cost.toFixed(0),
      String(outcome.promotions),
      String(outcome.bad),
      String(outcome.missed),
      String(outcome.rollbacks),
      outcome.daysToRecover.length === 0 ? '' : outcome.daysToRecover.join(', '),
    ]),
  );
}

function fateTable({ fates, moved }: Findings): string {
  const [ours, ...others] = fates;
  const rows = (ours?.fates ?? []).map(({ week, kind, fate, days, gain, by }) => [
    String(week),
    `${kind}: ${FAULTS[kind].meaning}`,
    moved.faulty.find((each) => each.week === week)?.index.toFixed(2) ?? '',
    percent(-gain),
    fate === 'blocked'
      ? 'blocked'
      : fate === 'rolled back'
        ? `rolled back after ${days} days`
        : `served for ${days} days`,
    ...others.map((other) => {
      const own = other.fates.find((each) => each.week === week);
      return own === undefined ? '' : own.fate === 'served' ? `served ${inDays(own.days)}` : own.fate;
    }),
    by,
  ]);
  return table(
    ['week', 'fault', 'PSI', 'its harm in the week', 'ours', ...others.map(({ strategy }) => strategy), 'by (ours)'],
    rows,
  );
}

function inDays(days: number): string {
  return days === 1 ? 'a day' : `${days} days`;
}

function diaryTable(entries: readonly DiaryEntry[]): string {
  return table(
    ['week', 'candidate', 'gain', 'what was done', 'by', 'why'],
    entries.map(({ week, title, fault, kind, provisional, by, reason, gain }) => [
      String(week),
      `${title.replace(/^week \d+, /, '')}${fault === undefined ? '' : ` (${fault})`}`,
      gain === null ? '' : percent(gain),
      provisional ? `${kind} provisionally` : kind,
      by,
      reason.length > 170 ? `${reason.slice(0, 170)}...` : reason,
    ]),
  );
}

function skewTable(trials: readonly SkewTrial[]): string {
  const rows = [true, false].map((isSkewed) => {
    const own = trials.filter((each) => each.isSkewed === isSkewed);
    const found = own.flatMap(({ fastDays }) => (fastDays === null ? [] : [fastDays])).toSorted((a, b) => a - b);
    const distances = own.map(({ disagreement }) => disagreement).toSorted((a, b) => a - b);
    const seen = own.filter(({ disagreement }) => disagreement > DISAGREEMENT).length;
    return [
      isSkewed ? 'skewed' : 'healthy',
      String(own.length),
      `${found.length}`,
      found.length === 0
        ? ''
        : `${found[Math.floor(found.length / 2)] ?? ''} (${found[0] ?? ''} to ${found.at(-1) ?? ''})`,
      `${(distances[0] ?? Number.NaN).toFixed(2)} to ${(distances.at(-1) ?? Number.NaN).toFixed(2)}`,
      String(seen),
    ];
  });
  return table(
    [
      '',
      'weeks',
      'rolled back by the fast rule',
      'after days: median (range)',
      'disagreement on day 1',
      `above ${DISAGREEMENT}`,
    ],
    rows,
  );
}

function trialsTable(trials: readonly Trials[], first?: string): string {
  return table(
    ['true gain', 'pairs', 'holdout', 'required gain', 'trials', 'promoted', 'provisionally'],
    trials.map(({ made, gain, days, minimumImprovement, trials: count, promoted, provisional }, index) => [
      index === 0 && first !== undefined ? first : percent(gain),
      made,
      `${days} days`,
      percent(minimumImprovement),
      String(count),
      percent(promoted / count, 1),
      percent(provisional / count, 1),
    ]),
  );
}

function limits({ worlds, fates, diaries, skew }: Findings): string {
  const of = (played: readonly Played[], decides: string) =>
    played.find(({ strategy }) => strategy.decides === decides)?.outcome;
  const [ours, newest, holdout] = [
    worlds.clean.at(-1)?.outcome,
    of(worlds.clean, 'newest'),
    of(worlds.clean, 'holdout'),
  ];
  const [dropped] = worlds.clean.filter(({ strategy }) => strategy.dropsInconclusive === true);
  const held = diaries.clean.filter(({ kind, by }) => kind === 'refused' && by.includes('too-good'));
  const doubted = diaries.clean.filter(({ kind, by }) => kind === 'rolled back' && by === 'slow');
  const through = (fates[0]?.fates ?? []).filter(({ fate }) => fate === 'served');
  const unseen = skew.filter(({ isSkewed, disagreement }) => isSkewed && disagreement <= DISAGREEMENT);
  const alarms = skew.filter(({ isSkewed, disagreement }) => !isSkewed && disagreement > DISAGREEMENT);
  const taken = skew.filter(({ isSkewed, fastDays }) => !isSkewed && fastDays !== null);
  const weeks = (entries: readonly { readonly week: number }[]): string => entries.map(({ week }) => week).join(', ');
  return [
    `- **Without faults gates do not earn their keep.** Promoting what is better on the holdout has a regret of ${shown(holdout?.regret)}, everything new ${shown(newest?.regret)}, ours ${shown(ours?.regret)}; in the second half of the weeks ${shown(holdout?.lateRegret)}, ${shown(newest?.lateRegret)} and ${shown(ours?.lateRegret)}. What is lost is lost at the beginning, when the first release knows thirteen days of January.`,
    `- There a healthy gain is larger than what the policy believes. ${held.length} candidates without a fault${held.length > 0 ? ` (weeks ${weeks(held)})` : ''} were held as too good for a human who is not played here, and nobody released them.`,
    `- The slow rule lets stay what a week of labels shows as better without proving it: six days prove little. It rolled back ${doubted.length} healthy releases${doubted.length > 0 ? ` (weeks ${weeks(doubted)})` : ''}. Were all rolled back that is not proven, the regret without faults would be ${shown(dropped?.outcome.regret)}. The rule was so at first, and was changed when this page showed what it cost.`,
    ...(through.length > 0
      ? [
          `- ${through.map(({ kind }) => kind).join(', ')} got through: what is off in the same way while it trains and while it is tested looks well. It pages by its stability index, and a page stops nothing.`,
        ]
      : []),
    `- By labels a skew cannot be found sooner: they arrive one to three days after the landing, and the fast rule waits until 5,000 have been there for a day. The disagreement of the first day missed ${unseen.length} of the skewed weeks and was above ${DISAGREEMENT} in ${alarms.length} healthy ones; the fast rule rolled back ${taken.length} releases without a skew, some of which were truly worse in their week.`,
    '- How much the comparison sees depends on how alike the two are. Releases of different windows and ages, as they meet in practice, differ by several percent on many days, and a gain of one percent is often not seen; two trainings of one recipe differ less. The first trials were those *as they are*, which measure drift as well; the exchange was added to have trials in which neither is better, and the twins, last, because the targets come from a study of one recipe. Twins have half of the rows each, and differ more than two trainings on all of them would.',
    '- One half-year of one model. Twenty-two weeks are few: a difference of a tenth of a percent between two strategies is luck, and each fault hits one week.',
    '- A candidate is trained on days that end thirty days before it serves, because the product holds out seven days to choose, fourteen to test, and the days on which their labels arrive. All strategies get the same candidates; a team that gates nothing could train on fresher days.',
    '- The faults are ours, as large as the tables say; the leak was made smaller after a first look at a tenth of the flights, where it outweighed all other faults together. Milder ones are seen later or not at all.',
    '- Approvals are instant here, and nobody looks at a page. Data is judged by the product’s own program and rule, but for the rows that are trained on. The suites of expectations were written by people who knew these flights and these faults: a median of distances between 450 and 750 miles is what an owner would write down, and it is what sees kilometres.',
  ].join('\n');
}

function shown(share: number | undefined): string {
  return share === undefined ? 'unknown' : percent(share);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
