import type { InputStability } from '#domain/drift/drift-work.ts';
import type { FeatureImportances } from '#domain/report/explanation.ts';
import type { SliceJudgement } from '#domain/comparison/judgement.ts';
import { CANDIDATE, CHAMPION, draw, LEGEND, REFERENCE, WIDTH } from './drawing.ts';

/** The gain of each slice with its interval, the largest slices first. */
export function slicesPicture(slices: readonly SliceJudgement[]): Promise<string> {
  const values = slices.flatMap(({ column, value, point, interval, vetoes }) =>
    point === null || interval === null
      ? []
      : [
          {
            label: `${column} = ${value}`,
            gain: 100 * point,
            lower: 100 * interval[0],
            upper: 100 * interval[1],
            is: vetoes ? 'vetoes' : 'does not veto',
          },
        ],
  );
  const y = {
    field: 'label',
    type: 'nominal',
    sort: values.map(({ label }) => label),
    title: null,
    axis: { labelLimit: 320 },
  } as const;
  const x = { type: 'quantitative', title: 'gain in log loss, %' } as const;
  const color = {
    field: 'is',
    type: 'nominal',
    legend: LEGEND,
    scale: { domain: ['does not veto', 'vetoes'], range: [CANDIDATE, REFERENCE] },
  } as const;
  return draw({
    width: WIDTH - 140,
    height: { step: 20 },
    data: { values },
    layer: [
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: 'rule', color: REFERENCE },
        encoding: { x: { ...x, field: 'zero' } },
      },
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { y, x: { ...x, field: 'lower' }, x2: { field: 'upper' }, color },
      },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: { y, x: { ...x, field: 'gain' }, color },
      },
    ],
  });
}

/** So many features are drawn; the data has all of them. */
const DRAWN = 25;

/** How far predictions move when a feature is shuffled, the most important features first. */
export function importancePicture({ features }: FeatureImportances): Promise<string> {
  const values = features.toSorted((a, b) => b.change - a.change).slice(0, DRAWN);
  const y = {
    field: 'name',
    type: 'nominal',
    sort: values.map(({ name }) => name),
    title: null,
    axis: { labelLimit: 320 },
  } as const;
  const x = { type: 'quantitative', title: 'mean change of the logit when shuffled' } as const;
  return draw({
    width: WIDTH - 140,
    height: { step: 20 },
    data: { values },
    layer: [
      { mark: { type: 'bar', color: CANDIDATE, height: 11 }, encoding: { y, x: { ...x, field: 'change' } } },
      {
        mark: { type: 'rule', strokeWidth: 2, color: CHAMPION },
        encoding: { y, x: { ...x, field: 'lowest' }, x2: { field: 'highest' } },
      },
    ],
  });
}

/** How far each input has moved, the most moved first, with the index from which the policy's stable inputs page. */
export function driftPicture(
  inputs: readonly InputStability[],
  rule: { readonly stable: readonly string[]; readonly index: number } | null,
): Promise<string> {
  const values = inputs
    .toSorted((a, b) => b.index - a.index)
    .slice(0, DRAWN)
    .map(({ input, index }) => ({
      input,
      index,
      shown: index.toFixed(3),
      kind: rule?.stable.includes(input) === true ? 'stable' : 'shown only',
    }));
  const kinds = { domain: ['stable', 'shown only'], range: [CANDIDATE, CHAMPION] };
  const y = {
    field: 'input',
    type: 'nominal',
    sort: values.map(({ input }) => input),
    title: null,
    axis: { labelLimit: 320 },
  } as const;
  const x = { type: 'quantitative', title: 'population stability index' } as const;
  return draw({
    width: WIDTH - 140,
    height: { step: 20 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: 11 },
        encoding: {
          y,
          x: { ...x, field: 'index' },
          color: { field: 'kind', type: 'nominal', legend: LEGEND, scale: kinds },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 10 },
        encoding: { y, x: { ...x, field: 'index' }, text: { field: 'shown' } },
      },
      {
        data: { values: [{ limit: rule?.index ?? 0.1 }] },
        mark: { type: 'rule', color: REFERENCE, strokeDash: [4, 3] },
        encoding: { x: { ...x, field: 'limit' } },
      },
    ],
  });
}
