import { html } from 'hono/html';
import { joinText } from '#domain/data/label-joins.ts';
import { type EvaluationReport, type HoldoutFigures, subjectOf } from '#domain/report/evaluation-report.ts';
import { MINIMUM_WEEK_DAYS } from '#domain/report/weeks.ts';
import { neededImprovement } from '#domain/policy/policy.ts';
import { facts, type Markup, table } from './markup.ts';
import { count, many, percent } from './words.ts';

const NOT_SAID = 'Its owner has said nothing of it: this would stand in card.ts of the model’s folder.';

function sentences(lines: readonly string[] | undefined): Markup {
  return lines === undefined
    ? html`<p class="note">${NOT_SAID}</p>`
    : html`<ul>
        ${lines.map((line) => html`<li>${line}</li>`)}
      </ul>`;
}

/** Who made it, of what, and under which name. */
export function modelDetails(report: EvaluationReport): Markup {
  const { training, recipe, code } = report.trained;
  const settings = Object.entries(training.hyperparameters).map(([name, value]) => `${name} = ${value}`);
  const digest = (of: string) => html`<code>${of}</code>`;
  return html`<h2>Model details</h2>
    ${facts([
      ['task', 'binary classification: a probability for each row'],
      ['owner', report.owner],
      ['release', digest(report.release)],
      [
        'champion',
        html`${report.champion.version ?? 'not registered here'}${report.champion.isConstant ? ', a constant' : ''}:
        ${digest(report.champion.release)}`,
      ],
      ['run', `${report.run}, as of ${report.asOf}`],
      [
        'training',
        html`${settings.length === 0 ? 'no hyperparameters' : settings.join(', ')}; seed ${training.seed}; image
        ${digest(training.image)}`,
      ],
      ['recipe', digest(recipe)],
      ['code', digest(code.commit)],
      ['policy', digest(report.policy)],
    ])}`;
}

/** What it is for. */
export function intendedUse({ purpose, card }: EvaluationReport): Markup {
  return html`<h2>Intended use</h2>
    ${card === null ? html`<p>${purpose}.</p>` : ''}${sentences(card?.intendedUse)}
    ${
      card?.outOfScope === undefined
        ? ''
        : html`<h3>Out of scope</h3>
            ${sentences(card.outOfScope)}`
    }`;
}

/** By what results are told apart. */
export function factors({ rule }: EvaluationReport): Markup {
  const { columns, largest } = rule.slices;
  return html`<h2>Factors</h2>
    <p>
      Results are told apart by weeks, because rows of one day rise and fall together and base rates
      move${
        columns.length === 0
          ? '. The policy names no column by whose values they would be told apart further.'
          : `, and by the ${String(largest)} largest values of ${columns.join(', ')}, as the policy requires.`
      }
    </p>`;
}

/** What is measured, and what is asked. */
export function metrics({ rule }: EvaluationReport): Markup {
  const confidence = percent(rule.confidence, 0);
  return html`<h2>Metrics</h2>
    <p>
      <b>Log loss</b> decides: the mean of −ln of the probability that was given to what came true, in nats, lower is
      better. A gain is relative to the champion’s loss on the same rows. Its interval is that of a paired t test whose
      unit is the ${rule.cluster}; each bound holds with ${confidence}, both together with
      ${percent(2 * rule.confidence - 1, 0)}. The Brier score, average precision, slices and calibration can veto. The
      area under the ROC curve is shown only.
    </p>
    ${table(
      ['what the policy requires', 'value'],
      [
        ['gain over the champion, proven', `at least ${percent(neededImprovement(rule))}`],
        ['gain over the base rate of the test days', `at least ${percent(rule.minimumSkill)}`],
        ...(rule.provisional === undefined
          ? []
          : [
              [
                'provisionally: likely gain, and at most so much worse',
                `${percent(rule.provisional.minimumImprovement)}, ${percent(rule.provisional.tolerance)}`,
              ],
            ]),
        ['held-out clusters and rows', `at least ${count(rule.minimumDays)} and ${count(rule.minimumRows)}`],
        ['gain that is held for a human, over a trained champion', `above ${percent(rule.tooGood)}`],
        [
          'worst slice',
          `at most ${percent(rule.slices.tolerance)} worse, at ${percent(rule.slices.level, 0)} after Holm`,
        ],
      ],
    )}`;
}

/** The held-out days: which chose, and which judged. */
export function evaluationData(report: EvaluationReport): Markup {
  const own = subjectOf(report);
  const row = (
    name: string,
    use: string,
    { first, last, judgement, baseRate, unlabelled, measure }: HoldoutFigures,
  ) => [
    name,
    use,
    `${first ?? 'none'} to\u00a0${last ?? 'none'}`,
    count(judgement.clusters),
    count(judgement.rows),
    percent(baseRate, 1),
    count(unlabelled),
    html`<code title="${measure}">${measure.slice(7, 19)}</code>`,
  ];
  return html`<h2>Evaluation data</h2>
    <p>
      Newer than every label that this release or the champion has been trained on, and mature: labels are there
      ${many(report.matureAfterDays, 'day')} after their event. Both models were scored by the pipeline on the same
      rows. The days that chose among the candidates did not judge the chosen one.
    </p>
    ${table(
      ['days', 'used for', 'from, to', 'clusters', 'rows', 'positive', 'no label', 'measure'],
      [row('selection', 'choosing', own.selection), row('test', 'judging', own.test)],
      [0, 1, 2, 7],
    )}`;
}

/** What it has been trained on. */
export function trainingData({ trained, features }: EvaluationReport): Markup {
  const { data } = trained;
  return html`<h2>Training data</h2>
    ${facts([
      ['window', `${data.window.name}: ${data.window.from} to ${data.window.to}`],
      ['labels', `those that had arrived by the end of ${data.labelsUntil}`],
      ['partitions', count(data.partitions)],
      ['fingerprint', html`<code>${data.fingerprint}</code>`],
      ...(data.inputs === undefined ? [] : [['inputs', html`<code>${data.inputs}</code>`] as const]),
      ...(trained.dataCheck === null
        ? []
        : [['accepted by', html`the data check <code>${trained.dataCheck}</code>`] as const]),
      ...(trained.joins === null ? [] : [['labels and events', joinText(trained.joins)] as const]),
      ['features', features.join(', ')],
    ])}`;
}

/** Whom it may harm. */
export function ethics({ card }: EvaluationReport): Markup {
  return html`<h2>Ethical considerations</h2>
    ${sentences(card?.ethics)}`;
}

/** What is known to be wrong with it, and what the numbers cannot say. */
export function caveats(report: EvaluationReport): Markup {
  const { card, champion, rule } = report;
  const own = subjectOf(report);
  const short = (own.test.weeks ?? []).filter(({ days }) => days < MINIMUM_WEEK_DAYS);
  const found = [
    ...(champion.isConstant
      ? [
          'The champion is a constant: the gain says that the model knows more than a base rate, and nothing of how it compares with another model.',
        ]
      : []),
    ...(rule.cluster === 'day' && own.test.judgement.clusters < 14
      ? ['With fewer than fourteen test days a true gain of one per cent is missed about as often as it is found.']
      : []),
    ...(short.length > 0
      ? [
          `${short.map(({ week }) => week).join(', ')}: fewer than ${String(MINIMUM_WEEK_DAYS)} test days, and so no interval.`,
        ]
      : []),
    'The test days are the past. What base rates do next is not in them; a release is judged again by the labels that arrive while it serves, where the policy knows a probation.',
  ];
  return html`<h2>Caveats and recommendations</h2>
    <h3>Of the model</h3>
    ${sentences(card?.limits)}
    <h3>Of this evaluation</h3>
    ${sentences(found)}`;
}
