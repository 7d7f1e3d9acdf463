import { html } from 'hono/html';
import { type CandidateFigures, type EvaluationReport, subjectOf } from '#domain/report/evaluation-report.ts';
import type { CostFigures } from '#domain/report/cost.ts';
import { MINIMUM_WEEK_DAYS, type WeekFigures } from '#domain/report/weeks.ts';
import { figure, type Markup, table } from './markup.ts';
import { driftPicture, importancePicture, slicesPicture } from './bars.ts';
import { calibrationPicture, precisionRecallPicture, reliabilityPicture, weeklyGainPicture } from './pictures.ts';
import { count, gain, gains, number, percent, range } from './words.ts';

/** The numbers, from what decided to what explains. */
export async function quantitativeAnalyses(report: EvaluationReport): Promise<Awaited<Markup>> {
  const own = subjectOf(report);
  if (own === undefined)
    return html`<h2>Quantitative analyses</h2>
      <p>Nothing was measured.</p>`;
  return html`<h2>Quantitative analyses</h2>
    ${await candidates(report)} ${await againstChampion(own)} ${await byWeeks(own)} ${await calibration(report, own)}
    ${await slices(own)} ${await importance(report)} ${await drift(report)} ${await cost(report)}`;
}

function candidates({ candidates: all, release }: EvaluationReport): Markup {
  const rows = all.map((candidate) => {
    const [chose, judged] = [candidate.selection.judgement.figures, candidate.test.judgement.figures];
    return [
      candidate.release === release ? html`<b>${candidate.version}</b> (this one)` : candidate.version,
      candidate.window,
      candidate.isChosen ? 'chosen' : '',
      number(chose?.candidate.logLoss, 4),
      gain(chose?.point),
      number(judged?.candidate.logLoss, 4),
      gain(judged?.point),
      gains(judged?.interval),
    ];
  });
  return html`<h3>The candidates of this run</h3>
    <p>
      The one with the lowest log loss on the selection days was chosen; it alone was judged, on the test days. What the
      others did on the test days is shown and decided nothing.
    </p>
    ${table(['candidate', 'window', '', 'selection: loss', 'gain', 'test: loss', 'gain', 'its interval'], rows, [0, 1, 2])}`;
}

function againstChampion({ test }: CandidateFigures): Markup {
  const { judgement } = test;
  const { figures } = judgement;
  if (figures === null)
    return html`<h3>Against the champion</h3>
      <p>Nothing could be computed: ${judgement.reason}.</p>`;
  const { champion, candidate } = figures;
  return html`<h3>Against the champion, on the test days</h3>
    ${table(
      ['', 'champion', 'candidate', 'gain', 'interval'],
      [
        [
          'log loss',
          number(champion.logLoss, 4),
          number(candidate.logLoss, 4),
          gain(figures.point),
          gains(figures.interval),
        ],
        ['… by resampling days', '', '', gain(figures.point), gains(figures.bootstrap?.interval)],
        [
          'Brier score',
          number(champion.brier, 4),
          number(candidate.brier, 4),
          gain(figures.brier?.point),
          gains(figures.brier?.interval),
        ],
        ['average precision', percent(champion.averagePrecision, 1), percent(candidate.averagePrecision, 1), '', ''],
        ['area under the ROC curve', number(champion.auc?.point, 3), number(candidate.auc?.point, 3), '', ''],
        ['… interval', range(champion.auc?.interval, 3), range(candidate.auc?.interval, 3), '', ''],
        ['observed / predicted', number(champion.calibration.point, 2), number(candidate.calibration.point, 2), '', ''],
        [
          '… of the least and the greatest day',
          range(champion.calibration.range, 2),
          range(candidate.calibration.range, 2),
          '',
          '',
        ],
      ],
    )}
    <p class="note">
      Judged ${judgement.verdict} by the rule “${judgement.rule}”. What would change it: ${judgement.change}.
    </p>`;
}

async function byWeeks(own: CandidateFigures): Promise<Awaited<Markup>> {
  if (own.test.weeks === null)
    return html`<h3>Week by week</h3>
      <p>Rows are clustered by ${own.test.unit} and not by single days: nothing can be told by weeks.</p>`;
  const row = (days: string, week: WeekFigures) => [
    week.week,
    days,
    `${week.first.slice(5)} to\u00a0${week.last.slice(5)}`,
    String(week.days),
    count(week.rows),
    percent(week.positives / week.rows, 1),
    number(week.champion.logLoss, 4),
    number(week.candidate.logLoss, 4),
    gain(week.gain.point),
    week.gain.interval === null ? 'too few days' : gains(week.gain.interval),
  ];
  const rows = [
    ...(own.selection.weeks ?? []).map((week) => row('selection', week)),
    ...own.test.weeks.map((week) => row('test', week)),
  ];
  return html`<h3>Week by week</h3>
    ${await figure(
      weeklyGainPicture(own),
      `Gain in log loss over the champion by ISO weeks, with the interval of the days in it. A week of fewer than ${String(MINIMUM_WEEK_DAYS)} days has no interval. On the selection days candidates were chosen, on the test days the chosen one was judged.`,
    )}
    ${table(['week', 'used as', 'from, to', 'days', 'rows', 'positive', 'champion', 'candidate', 'gain', 'interval'], rows, [0, 1, 2])}`;
}

async function calibration({ scores, champion }: EvaluationReport, own: CandidateFigures): Promise<Awaited<Markup>> {
  return html`<h3>Calibration and ranking</h3>
    ${
      own.test.weeks === null
        ? ''
        : await figure(
            calibrationPicture(own),
            'Positives that came true / positives that were predicted, by weeks, with the interval of the days. At 1 a model promises what comes; above it promised too few. Weeks in which nothing came true are left out.',
          )
    }
    ${
      scores === null
        ? html`<p>
            How predictions are spread was not measured: there is no reliability diagram and no precision-recall curve.
          </p>`
        : html`<div class="pair">
            ${await figure(
              reliabilityPicture(scores, champion.isConstant),
              `Reliability on the test days: rows in tenths by what was predicted.${champion.isConstant ? ' The champion is a constant and has no line.' : ''}`,
            )}${await figure(
              precisionRecallPicture(scores, champion.isConstant, own.test.baseRate ?? 0),
              'Precision against recall on the test days. Rows that are drawn by lot have the base rate as their precision.',
            )}
          </div>`
    }`;
}

async function slices({ test }: CandidateFigures): Promise<Awaited<Markup>> {
  const found = test.judgement.figures?.slices ?? [];
  if (found.length === 0)
    return html`<h3>Slices</h3>
      <p>
        The policy names no slices (<code>comparison.slices.columns</code>): a loss in one group would show in no number
        of this page.
      </p>`;
  const rows = found.map((slice) => [
    `${slice.column} = ${slice.value}`,
    count(slice.rows),
    String(slice.clusters),
    gain(slice.point),
    gains(slice.interval),
    number(slice.worse, 3),
    slice.vetoes ? 'vetoes' : '',
  ]);
  return html`<h3>Slices</h3>
    ${found.some(({ interval }) => interval !== null) ? await figure(slicesPicture(found), 'Gain in log loss over the champion on the test days, by slices, with intervals.') : ''}
    ${table(['slice', 'rows', 'clusters', 'gain', 'interval', 'p that it is worse, after Holm', ''], rows, [0, 6])}`;
}

async function importance({ explanation }: EvaluationReport): Promise<Awaited<Markup>> {
  if (explanation.status === 'unexplained')
    return html`<h3>What predictions depend on</h3>
      <p>Nothing can be said: ${explanation.reason}.</p>`;
  const { importances } = explanation;
  return html`<h3>What predictions depend on</h3>
    ${await figure(
      importancePicture(importances),
      `How far the logit of a prediction moves, on the average, when a feature’s values are shuffled among ${count(importances.rows)} rows of the test days; the line holds all of ${String(importances.repeats)} repetitions. This is permutation importance without labels (after Breiman 2001; Fisher, Rudin & Dominici 2019): what the model uses, not what is useful. Features that say the same share what they are worth.`,
    )}`;
}

async function drift({ drift: found, driftRule }: EvaluationReport): Promise<Awaited<Markup>> {
  const head = html`<h3>How far inputs have moved</h3>`;
  if (found.status === 'insufficient')
    return html`${head}
      <p>Nothing can be said: ${found.reason}.</p>`;
  if (found.inputs.length === 0)
    return html`${head}
      <p>Nothing can be said: there are rows on one side only, or on none.</p>`;
  return html`${head}
  ${await figure(
    driftPicture(found.inputs, driftRule),
    `Population stability index of each input: the test days (${count(found.rows.current)} rows) against the last weeks of the training window (${count(found.rows.reference)} rows), in tenths of the latter, missing values apart (Siddiqi 2006).${
      driftRule === null
        ? ' The policy looks for no drift; 0.1 is usual to look from, 0.25 to act.'
        : ` Above the line, at ${String(driftRule.index)}, one of the inputs that the policy calls stable would page; the others move with season and traffic.`
    } It decides nothing here.`,
  )}`;
}

function cost({ cost: found }: EvaluationReport): Markup {
  if (found === null)
    return html`<h3>Cost</h3>
      <p>The policy says nothing of what wrong decisions cost (<code>costs</code>), so that none is computed.</p>`;
  const { costs, threshold, champion, candidate, never, always } = found;
  const row = (name: string, of: typeof champion) => [
    name,
    count(of.truePositives),
    count(of.falsePositives),
    count(of.falseNegatives),
    number(of.per1000, 0),
  ];
  return html`<h3>Cost</h3>
    <p>
      By the policy, to act for nothing costs ${costs.falsePositive} and not to act where it was needed
      ${costs.falseNegative}: acting pays from a probability of ${percent(threshold, 1)} on (Elkan 2001). On the test
      days, deciding so would have cost:
    </p>
    ${table(
      ['who decides', 'acted rightly', 'for nothing', 'missed', 'cost per 1,000 rows'],
      [
        row('candidate', candidate),
        row('champion', champion),
        ['nobody ever acts', '', '', '', number(never, 0)],
        ['everybody always acts', '', '', '', number(always, 0)],
      ],
    )}
    <p>${savingOf(found)}</p>
    ${
      never < candidate.per1000
        ? html`<p>
            <b>Never to act would have cost less than to act by this model.</b> Its probabilities promised more than
            came, or the costs are not what they are said to be.
          </p>`
        : ''
    }`;
}

function savingOf({ saving }: CostFigures): string {
  if (saving === null) return 'No saving over the champion can be computed.';
  const { point, interval } = saving;
  const is = point < 0 ? `costs ${percent(-point)} more than` : `costs ${percent(point)} less than`;
  return `The candidate ${is} the champion; the interval of what it saves is ${gains(interval)}, by days.`;
}
