import { html } from 'hono/html';
import { type EvaluationReport, subjectOf } from '#domain/report/evaluation-report.ts';
import type { Markup } from './markup.ts';
import { gain, gains, number, percent } from './words.ts';

/** What a reviewer wants to know first: what was decided and why, and the five figures that it rests on. */
export function summary(report: EvaluationReport): Markup {
  const { conclusion } = report;
  const own = subjectOf(report);
  const figures = own.test.judgement.figures ?? null;
  const [head, tone] = verdictOf(report);
  return html`<div class="box ${tone}">
      <strong>${head}</strong>
      <ul>
        ${conclusion.reasons.map((reason) => html`<li>${reason}</li>`)}
      </ul>
      ${
        conclusion.isChosen
          ? ''
          : html`<p>
              These reasons speak of the candidate that was chosen, not of this one. The figures below are this one’s
              own.
            </p>`
      }
    </div>
    ${
      figures === null
        ? html`<p>Nothing could be computed on the test days.</p>`
        : html`<div class="keys">
              ${key(gain(figures.point), `gain in log loss over the champion; ${gains(figures.interval)}`)}
              ${key(number(figures.candidate.logLoss, 4), `log loss; champion ${number(figures.champion.logLoss, 4)}`)}
              ${key(number(figures.candidate.auc?.point, 3), `area under the ROC curve; champion ${number(figures.champion.auc?.point, 3)}`)}
              ${key(percent(figures.candidate.averagePrecision, 1), `average precision; base rate ${percent(own.test.baseRate, 1)}`)}
              ${key(number(figures.candidate.calibration.point, 2), 'observed / predicted: 1 is calibrated')}
            </div>
            <p class="note">On the test days, ${own.test.first} to ${own.test.last}, which chose nobody.</p>`
    }`;
}

function key(value: string, meaning: string): Markup {
  return html`<div><b>${value}</b><span>${meaning}</span></div>`;
}

function verdictOf({ conclusion, candidates }: EvaluationReport): readonly [head: string, tone: string] {
  const { verdict, isChosen } = conclusion;
  const chosen = candidates.find((candidate) => candidate.isChosen);
  if (chosen === undefined) return ['No candidate of this run could be chosen', 'open'];
  if (!isChosen) return [`Not chosen: ${chosen.version} did better on the selection days`, 'open'];
  switch (verdict) {
    case 'PASS':
      return ['Chosen on the selection days, and passed on the test days', 'good'];
    case 'FAIL':
      return ['Chosen on the selection days, and failed on the test days', 'bad'];
    case 'INCONCLUSIVE':
    case 'NOT_APPLICABLE':
      return ['Chosen on the selection days; the test days decide nothing either way', 'open'];
  }
}
