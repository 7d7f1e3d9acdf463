import type { CandidateFigures, EvaluationReport, ScoreFigures } from '#domain/report/evaluation-report.ts';
import type { WeekFigures } from '#domain/report/weeks.ts';
import { CANDIDATE, CHAMPION, draw, LEGEND, MODELS, REFERENCE, WIDTH } from './drawing.ts';

/** The days that chose, and the days that judged, in the order of time. */
function byWeek({ selection, test }: CandidateFigures): { readonly days: string; readonly week: WeekFigures }[] {
  return [
    ...(selection.weeks ?? []).map((week) => ({ days: 'selection', week })),
    ...(test.weeks ?? []).map((week) => ({ days: 'test', week })),
  ];
}

function weekLabel({ days, week }: { readonly days: string; readonly week: WeekFigures }): string {
  return `${week.week.slice(5)} ${days}`;
}

/** The gain in log loss of each week, with its interval where the week has enough days. */
export function weeklyGainPicture(candidate: CandidateFigures): Promise<string> {
  const weeks = byWeek(candidate);
  const values = weeks.map(({ days, week }) => ({
    label: weekLabel({ days, week }),
    days,
    gain: 100 * week.gain.point,
    lower: week.gain.interval === null ? null : 100 * week.gain.interval[0],
    upper: week.gain.interval === null ? null : 100 * week.gain.interval[1],
  }));
  const x = {
    field: 'label',
    type: 'nominal',
    sort: values.map(({ label }) => label),
    title: null,
    axis: { labelAngle: 0 },
  } as const;
  const color = {
    field: 'days',
    type: 'nominal',
    legend: LEGEND,
    scale: { domain: ['selection', 'test'], range: [CHAMPION, CANDIDATE] },
  } as const;
  const y = { type: 'quantitative', title: 'gain in log loss, %', scale: { zero: true } } as const;
  return draw({
    width: WIDTH,
    height: 220,
    data: { values },
    layer: [
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: 'rule', color: REFERENCE },
        encoding: { y: { ...y, field: 'zero' } },
      },
      {
        transform: [{ filter: 'isValid(datum.lower)' }],
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x, y: { ...y, field: 'lower' }, y2: { field: 'upper' }, color },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1 },
        encoding: { x, y: { ...y, field: 'gain' }, color },
      },
    ],
  });
}

/** Observed / predicted of both models by weeks, on a scale on which twice and half are as far from 1. */
export function calibrationPicture(candidate: CandidateFigures): Promise<string> {
  const values = byWeek(candidate).flatMap(({ days, week }) =>
    (['champion', 'candidate'] as const).flatMap((model) => {
      const { calibration } = week[model];
      if (calibration === null || !(calibration.point > 0)) return [];
      const interval = calibration.interval !== null && calibration.interval[0] > 0 ? calibration.interval : null;
      return [
        {
          label: weekLabel({ days, week }),
          model,
          ratio: calibration.point,
          lower: interval?.[0] ?? null,
          upper: interval?.[1] ?? null,
        },
      ];
    }),
  );
  const all = values.flatMap(({ ratio, lower, upper }) => [ratio, lower ?? ratio, upper ?? ratio]);
  // A little more than there is, so that no point lies on the edge.
  const domain = [Math.min(0.8, ...all) / 1.06, Math.max(1.25, ...all) * 1.06];
  const [low = 1, high = 1] = domain;
  const ticks = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 3, 5, 10].filter(
    (tick) => tick >= low && tick <= high,
  );
  const x = {
    field: 'label',
    type: 'nominal',
    sort: [...new Set(values.map(({ label }) => label))],
    title: null,
    axis: { labelAngle: 0 },
  } as const;
  const y = {
    type: 'quantitative',
    title: 'observed / predicted',
    scale: { type: 'log', domain, nice: false },
    axis: { values: ticks, format: '~g' },
  } as const;
  const shared = {
    x,
    xOffset: { field: 'model', scale: { domain: MODELS.domain, paddingOuter: 1.6 } },
    color: { field: 'model', type: 'nominal', legend: LEGEND, scale: MODELS },
  } as const;
  return draw({
    width: WIDTH,
    height: 220,
    data: { values },
    layer: [
      {
        data: { values: [{ one: 1 }] },
        mark: { type: 'rule', color: REFERENCE },
        encoding: { y: { ...y, field: 'one' } },
      },
      {
        transform: [{ filter: 'isValid(datum.lower)' }],
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { ...shared, y: { ...y, field: 'lower' }, y2: { field: 'upper' } },
      },
      {
        mark: { type: 'point', filled: true, size: 70, opacity: 1 },
        encoding: { ...shared, y: { ...y, field: 'ratio' } },
      },
    ],
  });
}

type Scores = NonNullable<EvaluationReport['scores']>;

/** The colours of the models that are drawn: a constant says the same of every row, and has no curve. */
function modelsDrawn(isConstant: boolean) {
  return isConstant ? { domain: ['candidate'], range: [CANDIDATE] } : MODELS;
}

function ofBoth<T>(
  { champion, candidate }: Scores,
  isConstant: boolean,
  points: (scores: ScoreFigures) => readonly T[],
): (T & { readonly model: string })[] {
  return [
    ...(isConstant ? [] : points(champion).map((point) => ({ ...point, model: 'champion' }))),
    ...points(candidate).map((point) => ({ ...point, model: 'candidate' })),
  ];
}

/** What came true against what was predicted, in tenths of the rows. */
export function reliabilityPicture(scores: Scores, isConstant: boolean): Promise<string> {
  const values = ofBoth(scores, isConstant, ({ reliability }) =>
    reliability.map(({ predicted, observed, rows }) => ({
      predicted: 100 * predicted,
      observed: 100 * observed,
      rows,
    })),
  );
  const most = Math.max(1, ...values.map(({ predicted, observed }) => Math.max(predicted, observed)));
  const scale = { domain: [0, most], nice: true };
  const x = { type: 'quantitative', title: 'predicted, %', scale } as const;
  const y = { type: 'quantitative', title: 'observed, %', scale } as const;
  return draw({
    width: 320,
    height: 260,
    data: { values },
    layer: [
      {
        data: { values: [{ at: 0 }, { at: most }] },
        mark: { type: 'line', color: REFERENCE, strokeDash: [4, 3], strokeWidth: 1 },
        encoding: { x: { ...x, field: 'at' }, y: { ...y, field: 'at' } },
      },
      {
        mark: { type: 'line', point: { size: 45 }, strokeWidth: 1.5 },
        encoding: {
          x: { ...x, field: 'predicted' },
          y: { ...y, field: 'observed' },
          color: { field: 'model', type: 'nominal', legend: LEGEND, scale: modelsDrawn(isConstant) },
        },
      },
    ],
  });
}

/** Precision against recall, with the share of positives that any list of rows drawn by lot would have. */
export function precisionRecallPicture(scores: Scores, isConstant: boolean, baseRate: number): Promise<string> {
  const values = ofBoth(scores, isConstant, ({ curve }) =>
    curve.map(({ recall, precision }, order) => ({ recall: 100 * recall, precision: 100 * precision, order })),
  );
  const scale = { domain: [0, 100] };
  const x = { type: 'quantitative', title: 'recall, %', scale } as const;
  const y = { type: 'quantitative', title: 'precision, %', scale } as const;
  const base = { rate: 100 * baseRate, at: 100, text: `base rate ${(100 * baseRate).toFixed(1)} %` };
  return draw({
    width: 320,
    height: 260,
    data: { values },
    layer: [
      {
        data: { values: [base] },
        mark: { type: 'rule', color: REFERENCE, strokeDash: [4, 3] },
        encoding: { y: { ...y, field: 'rate' } },
      },
      {
        data: { values: [base] },
        mark: { type: 'text', align: 'right', baseline: 'top', dy: 5, fontSize: 11 },
        encoding: { x: { ...x, field: 'at' }, y: { ...y, field: 'rate' }, text: { field: 'text' } },
      },
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          x: { ...x, field: 'recall' },
          y: { ...y, field: 'precision' },
          order: { field: 'order', type: 'quantitative' },
          color: { field: 'model', type: 'nominal', legend: LEGEND, scale: modelsDrawn(isConstant) },
        },
      },
    ],
  });
}
