import { expect, it } from 'vitest';
import { logPlot } from '#cli/plot.ts';

const from = Date.parse('2026-03-02T09:00:00.000Z');
const until = Date.parse('2026-03-02T10:00:00.000Z');
const plotted = (values: readonly number[], mark = '*') => ({
  mark,
  name: `of ${mark}`,
  points: values.map((value, index) => ({
    at: from + ((until - from) * index) / Math.max(1, values.length - 1),
    value,
  })),
});

it('draws values by their logarithm, and only what has reached the limit on its line', () => {
  const lines = logPlot([plotted([1, 99, 100])], { limit: 100, from, until });
  expect(lines).toEqual([
    `      100 | ${'-'.repeat(63)}*`,
    `          | ${' '.repeat(32)}*`,
    '       10 |',
    '          |',
    '        1 | *',
    '          |',
    '      0.1 |',
    `          +${'-'.repeat(65)}`,
    `            09:00Z${' '.repeat(52)}10:00Z`,
    '            * of *   - limit 100',
  ]);
});

it('draws the first of two series above the second, and what is too large or too small at the edge', () => {
  const lines = logPlot([plotted([1e-9, 1e9]), plotted([1e-9, 1], 'o')], { limit: 100, from, until });
  expect(lines[0]).toBe(`    10000 | ${' '.repeat(63)}*`);
  expect(lines.find((line) => line.startsWith('    0.001'))).toBe('    0.001 | *');
  expect(lines.find((line) => line.startsWith('        1'))).toBe(`        1 | ${' '.repeat(63)}o`);
});

it('needs one value only', () => {
  expect(logPlot([plotted([0])], { limit: 100, from, until: from }).join('\n')).toContain('0.001 | *');
});
