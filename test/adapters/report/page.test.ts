import { describe, expect, it } from 'vitest';
import { drawReport } from '#adapters/report/page.ts';
import { gains, number, percent } from '#adapters/report/words.ts';
import type { LabelJoins } from '#domain/data/label-joins.ts';
import { subjectOf } from '#domain/report/evaluation-report.ts';
import { JOINS, LOST } from '#test/domain/data/_joins.ts';
import { measure } from '#test/domain/gates/_measure.ts';
import { fullMeasure, OTHER, report } from '#test/domain/report/_report.ts';

/** Headings of a model card, in their order. */
const HEADINGS = [
  'Model details',
  'Intended use',
  'Factors',
  'Metrics',
  'Evaluation data',
  'Training data',
  'Quantitative analyses',
  'Ethical considerations',
  'Caveats and recommendations',
];
/** Elements that have no end. */
const VOID = new Set(['meta', '!doctype']);

/** Which elements are open at the end of a page, or are closed by another one. */
function unclosed(page: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = '', rest = ''] of page.matchAll(/<(\/?)([a-zA-Z!][a-zA-Z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (VOID.has(name.toLowerCase()) || rest.endsWith('/')) continue;
    if (slash === '') open.push(name);
    else if (open.at(-1) === name) open.pop();
    else return [...open, `/${name}`];
  }
  return open;
}

describe('the page of a report', () => {
  it('is well-formed, self-contained and the same each time', async () => {
    const found = report();
    const page = await drawReport(found);
    expect(unclosed(page)).toEqual([]);
    expect(page).not.toMatch(/<script|<link|<img|javascript:|\son\w+=|@import|url\((?!#)/i);
    // The only addresses are the names of XML's vocabularies.
    expect([...new Set(page.match(/https?:\/\/[^"\s<]+/g))].every((url) => url.startsWith('http://www.w3.org/'))).toBe(
      true,
    );
    expect(await drawReport(found)).toBe(page);
  });

  it('has the headings of a model card, in their order, and its pictures', async () => {
    const page = await drawReport(report());
    expect([...page.matchAll(/<h2>([^<]+)<\/h2>/g)].map(([, heading]) => heading)).toEqual(HEADINGS);
    expect(page.match(/<svg /g)).toHaveLength(7);
    expect(page).toContain('base rate 20.0 %');
  });

  it('shows the numbers of the measure', async () => {
    const found = report();
    const page = await drawReport(found);
    const { figures } = subjectOf(found).test.judgement;
    if (figures === null || found.cost === null) throw new Error('nothing was computed');
    expect(page).toContain(gains(figures.interval));
    expect(page).toContain(figures.candidate.logLoss.toFixed(4));
    expect(page).toContain(figures.champion.logLoss.toFixed(4));
    expect(page).toContain(percent(figures.candidate.averagePrecision, 1));
    expect(page).toContain(number(found.cost.candidate.per1000, 0));
    expect(page).toContain('too few days');
    expect(page).toContain('it is made up');
  });

  it('says what the join of labels and events lost of the rows that were trained on', async () => {
    const found = report();
    const page = (joins: LabelJoins | null) => drawReport({ ...found, trained: { ...found.trained, joins } });
    const lost = await page(LOST);
    expect(lost).toContain('100 of 10000 events have no label');
    expect(lost).toContain('30 of 9900 labels meet no event, most on 2001-01-04: 20 of 400');
    expect(await page({ ...JOINS, labelled: 10_000 })).toContain('each of 10000 events has its label');
    expect(await page(null)).not.toContain('labels and events');
  });

  it('escapes what people and data call things', async () => {
    const hostile = `"'><script>alert(1)</script>&`;
    const base = fullMeasure(0.03);
    const test = { ...base, slices: base.slices.map((slice) => ({ ...slice, value: hostile })) };
    const page = await drawReport({
      ...report({
        test,
        plan: { conclusion: { verdict: 'FAIL', chosen: OTHER, reasons: [hostile] }, run: hostile },
        explanation: {
          formatVersion: 1,
          status: 'explained',
          importances: {
            rows: 1,
            repeats: 1,
            seed: 1,
            features: [{ name: hostile, change: 1, lowest: 1, highest: 1 }],
          },
        },
      }),
      purpose: hostile,
      owner: hostile,
      features: [hostile],
      card: { intendedUse: [hostile], limits: [hostile] },
    });
    expect(unclosed(page)).toEqual([]);
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&amp;');
  });

  it('says plainly what there is nothing to say of', async () => {
    const page = await drawReport({
      ...report({
        of: OTHER,
        drift: { status: 'insufficient', reason: 'the features are gone' },
        explanation: { formatVersion: 1, status: 'unexplained', reason: 'the model does not load' },
      }),
      scores: null,
      cost: null,
      card: null,
    });
    expect(unclosed(page)).toEqual([]);
    expect(page).toContain('Not chosen: 0.1.1 did better on the selection days');
    expect(page).toContain('Nothing can be said: the model does not load.');
    expect(page).toContain('Nothing can be said: the features are gone.');
    expect(page).toContain('there is no reliability diagram and no precision-recall curve');
    expect(page).toContain('The policy says nothing of what wrong decisions cost');
    expect(page).toContain('Its owner has said nothing of it');
    const nothing = await drawReport(report({ test: measure([]) }));
    expect(unclosed(nothing)).toEqual([]);
    expect(nothing).toContain('Nothing could be computed');
    expect(nothing).not.toMatch(/NaN|undefined|Infinity/);
  });
});
