import { html, raw } from 'hono/html';
import type { EvaluationReport } from '#domain/report/evaluation-report.ts';
import { quantitativeAnalyses } from './analyses.ts';
import { beginPage } from './drawing.ts';
import { caveats, ethics, evaluationData, factors, intendedUse, metrics, modelDetails, trainingData } from './card.ts';
import { summary } from './summary.ts';

/**
 * An evaluation report as a page that needs nothing but itself: no scripts, no files beside it, no network. Headings are those of a
 * model card (Mitchell et al. 2019, Model Cards for Model Reporting). The same report has the same bytes.
 */
export async function drawReport(report: EvaluationReport): Promise<string> {
  beginPage();
  const title = `${report.model}@${report.version}`;
  const analyses = await quantitativeAnalyses(report);
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}: evaluation report</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <p class="kind">Evaluation report</p>
          <h1>${title}</h1>
          <p>${report.purpose}.</p>
        </header>
        <main>
          ${await summary(report)} ${await modelDetails(report)} ${await intendedUse(report)} ${await factors(report)}
          ${await metrics(report)} ${await evaluationData(report)} ${await trainingData(report)} ${analyses}
          ${await ethics(report)} ${await caveats(report)}
        </main>
        <footer>
          <p>
            Made by the run ${report.run} as of ${report.asOf}, before anybody decided on the offer. Every number is
            computed from documents that are named by their digests; <code>report.json</code> holds them all. This page
            admits nothing: each environment measures again on its own data before it promotes a release.
          </p>
        </footer>
      </body>
    </html> `;
  return String(page);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #111827; --soft: #4b5563; --line: #e5e7eb; --paper: #ffffff; --box: #f8fafc; --good: #15803d; --bad: #b91c1c; --open: #b45309; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --soft: #a1a8b5; --line: #374151; --paper: #111418; --box: #1a1f26; --good: #4ade80; --bad: #f87171; --open: #fbbf24; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.6rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
h3 { margin: 1.8rem 0 .4rem; font-size: 1.05rem; }
p { margin: .5rem 0; max-width: 46rem; }
.kind { margin: 0 0 .2rem; color: var(--soft); font-size: .85rem; letter-spacing: .04em; text-transform: uppercase; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.box { margin: 1.4rem 0; padding: 1rem 1.2rem; border: 1px solid var(--line); border-left: .35rem solid var(--open); border-radius: .3rem; background: var(--box); }
.box.good { border-left-color: var(--good); } .box.bad { border-left-color: var(--bad); }
.box strong { font-size: 1.1rem; }
.keys { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.keys div { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .3rem; }
.keys b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.keys span, .note, figcaption { color: var(--soft); font-size: .875rem; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .25rem 1.2rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .875rem; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
.text { text-align: left; } td { white-space: nowrap; } td:first-child { min-width: 5.5rem; white-space: normal; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; }
figure { margin: 1rem 0; break-inside: avoid; }
figure svg { max-width: 100%; height: auto; }
figure svg text { fill: var(--ink); }
figure svg .role-axis-grid line { stroke: var(--line); }
.pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.pair figure { flex: 1 1 20rem; }
ul { padding-left: 1.2rem; max-width: 46rem; } li { margin: .3rem 0; }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  .box, .wide, tr { break-inside: avoid; }
  .wide { overflow: visible; }
  table { font-size: 7.5pt; }
  th, td { padding: .25rem .3rem; }
  .keys { grid-template-columns: repeat(5, 1fr); gap: .4rem; font-size: 8pt; }
  .keys div { padding: .4rem .5rem; }
}
`;
