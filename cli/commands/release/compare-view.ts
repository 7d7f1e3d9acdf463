import type { ComparisonFigures, ComparisonJudgement, Estimate, ModelFigures } from '#domain/comparison/judgement.ts';
import type { Report, Section } from '../../report.ts';
import { percent } from '#domain/text.ts';

/** A judgement as one flat document for programs, and as tables for people. */
export function comparisonReport(
  { figures, ...judgement }: ComparisonJudgement,
  files: Readonly<Record<string, string>>,
): Report {
  const nothing = { point: null, interval: null, standardError: null, bootstrap: null, slices: [] };
  return {
    data: { ...judgement, ...(figures ?? nothing), files },
    sections: [
      {
        lines: [
          `${judgement.verdict} by ${judgement.rule}`,
          `  ${judgement.reason}`,
          `  what would change it: ${judgement.change}`,
        ],
      },
      ...(figures === null ? [] : tables(figures, judgement)),
    ],
  };
}

function tables(
  figures: ComparisonFigures,
  { clusters, rows, positives, confidence }: Omit<ComparisonJudgement, 'figures'>,
): Section[] {
  const { champion, candidate, slices, bootstrap } = figures;
  const model = (title: string, of: (figures: ModelFigures) => string, gain: string): string[] => [
    title,
    of(champion),
    of(candidate),
    gain,
  ];
  return [
    {
      title: `${rows} rows, ${positives} positive, in ${clusters} clusters; each bound holds with ${100 * confidence} %`,
      columns: ['', 'champion', 'candidate', 'gain'],
      rows: [
        model('log loss', ({ logLoss }) => logLoss.toFixed(5), percents(figures)),
        ['  by bootstrap', '', '', bootstrap === null ? '-' : percents({ point: null, interval: bootstrap.interval })],
        model('Brier score', ({ brier }) => brier.toFixed(5), figures.brier === null ? '-' : percents(figures.brier)),
        model('average precision', ({ averagePrecision }) => averagePrecision?.toFixed(4) ?? '-', ''),
        model('area under ROC', ({ auc }) => area(auc), area(figures.aucDifference)),
        model('observed / predicted', calibration, ''),
      ],
    },
    ...(slices.length === 0
      ? []
      : [
          {
            title: 'slices, the largest; p is against "not worse", after Holm',
            columns: ['slice', 'rows', 'clusters', 'gain', 'p', ''],
            rows: slices.map(({ value, point, interval, worse, vetoes, ...slice }) => [
              value,
              String(slice.rows),
              String(slice.clusters),
              percents({ point, interval }),
              worse === null ? '-' : worse.toFixed(3),
              vetoes ? 'VETO' : '',
            ]),
          },
        ]),
  ];
}

function percents({ point, interval }: { point: number | null; interval: Estimate['interval'] }): string {
  const range = interval === null ? '' : `[${interval.map((share) => percent(share)).join(', ')}]`;
  return [point === null ? '' : percent(point), range].filter((text) => text !== '').join(' ') || '-';
}

function area(estimate: Estimate | null): string {
  if (estimate === null) return '-';
  const { point, interval } = estimate;
  return point.toFixed(4) + (interval === null ? '' : ` [${interval.map((bound) => bound.toFixed(4)).join(', ')}]`);
}

function calibration({ calibration: { point, range } }: ModelFigures): string {
  if (point === null) return '-';
  return (
    point.toFixed(2) + (range === null ? '' : ` (${range.map((each) => each.toFixed(2)).join(' to ')} by cluster)`)
  );
}
