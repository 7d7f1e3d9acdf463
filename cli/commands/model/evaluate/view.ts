import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { MEASURED_GATES } from '#domain/gates/measured.ts';
import type { DeployedModel } from '#domain/model/deployed.ts';
import { judgeComparison } from '#domain/comparison/judge.ts';
import { readDocument } from '#ports/documents.ts';
import { readRecords } from '#read-model/chain.ts';
import { shortDigest, type Report, type Section } from '../../../report.ts';
import { comparisonReport } from '../../release/compare-view.ts';
import type { LocalPipeline, Retrained } from '#local/pipeline/pipeline.ts';
import { reasonsOf } from '../../run/causes.ts';

const Checked = z.object({ status: z.string(), reasons: z.array(z.string()) });
const Planned = z.object({
  windows: z.array(z.object({ window: z.string(), plan: Digest })),
  skipped: z.array(z.string()).default([]),
});
const OfPlan = z.object({ plan: Digest });
const Exported = z.object({ rows: z.int().optional(), positives: z.int().optional(), reason: z.string().optional() });
const Trained = z.object({ status: z.string(), seconds: z.number().optional(), reason: z.string().optional() });
const Packaged = z.object({
  candidates: z.array(z.object({ release: Digest, window: z.string(), metrics: z.record(z.string(), z.number()) })),
  /** Why a window is no candidate, each beginning with its name. */
  reasons: z.array(z.string()),
});
const Measured = z.object({
  comparisons: z.array(z.object({ candidate: Digest, slice: z.enum(['selection', 'test']), measure: Digest })),
});
const Chosen = z.object({ release: Digest.optional(), measure: Digest.optional() });
const Written = z.object({ html: Digest, json: Digest });
const Ended = z.object({ status: z.enum(['offered', 'rejected', 'held']) });

interface About {
  readonly model: DeployedModel;
  readonly asOf: string;
  readonly against: string;
  readonly notAdmitted: readonly string[];
  /** Where the page of the evaluation report goes. */
  readonly page: string;
}

/** What a run on this machine has found: how dev would end it, and all figures that lead there. */
export async function evaluationView(
  { ledger, documents, releases }: LocalPipeline,
  { run, steps }: Retrained,
  { model, asOf, against, notAdmitted, page }: About,
) {
  const { name } = model.definition;
  const last = <T>(schema: z.ZodType<T>, state: string): T | undefined => {
    const step = steps.findLast((each) => each.state === state);
    return step === undefined ? undefined : schema.parse(step.output);
  };
  const ending = Ended.parse(steps.findLast(({ output }) => Ended.safeParse(output).success)?.output);
  const chain = (await readRecords(ledger, name)).map(({ record }) => record);
  const reasons = [...notAdmitted, ...reasonsOf(chain, run)];
  const check = last(Checked, 'Judge data');
  const planned = last(Planned, 'Plan windows');
  const chosen = last(Chosen, 'Evaluate gates');
  const measureOf = async (digest: Digest) => await readDocument(documents, StoredMeasure, digest);
  const lossOf = async (release: Digest | undefined): Promise<number | null> => {
    const found = last(Measured, 'Measure comparison')?.comparisons.find(
      ({ candidate, slice }) => candidate === release && slice === 'selection',
    );
    if (found === undefined) return null;
    return judgeComparison(await measureOf(found.measure), model.policy.comparison).figures?.candidate.logLoss ?? null;
  };
  const windows = await Promise.all(
    (planned?.windows ?? []).map(async ({ window, plan }) => {
      const of = <T>(schema: z.ZodType<T>, state: string): T | undefined => {
        const step = steps.find((each) => each.state === state && OfPlan.safeParse(each.input).data?.plan === plan);
        return step === undefined ? undefined : schema.parse(step.output);
      };
      const { rows = null, positives = null, reason } = of(Exported, 'Export training rows') ?? {};
      const trained = of(Trained, 'Train window');
      const packaged = last(Packaged, 'Package candidates');
      const made = packaged?.candidates.find((each) => each.window === window);
      const unpackaged = packaged?.reasons.find((each) => each.startsWith(`${window}: `))?.slice(window.length + 2);
      return {
        window,
        rows,
        positives,
        seconds: trained?.seconds ?? null,
        metrics: made?.metrics ?? {},
        release: made?.release ?? null,
        selectionLogLoss: await lossOf(made?.release),
        isChosen: made !== undefined && made.release === chosen?.release,
        reason: reason ?? trained?.reason ?? unpackaged ?? null,
      };
    }),
  );
  const measure = chosen?.measure === undefined ? undefined : await measureOf(chosen.measure);
  const gates =
    measure === undefined
      ? []
      : Object.entries(MEASURED_GATES).map(([gate, judge]) => ({ gate, ...judge(measure, model.policy.comparison) }));
  const judgement = measure === undefined ? undefined : judgeComparison(measure, model.policy.comparison);
  const compared = judgement === undefined ? undefined : comparisonReport(judgement, {});
  const written = steps.find(
    ({ state, input }) =>
      state === 'Write report' && z.object({ release: Digest }).parse(input).release === chosen?.release,
  );
  const files = written === undefined ? undefined : Written.parse(written.output);
  const sections: Section[] = [
    {
      title: `${name} as of ${asOf}: ${ending.status}`,
      lines: [
        ...notAdmitted.map((reason) => `  ${reason}`),
        `  data check    ${check === undefined ? 'not reached' : [check.status, ...check.reasons].join('; ')}`,
        `  compared with ${against}`,
        ...(planned?.skipped ?? []).map((window) => `  window ${window} is longer than the history and was left out`),
        ...reasons.slice(notAdmitted.length).map((reason) => `  ${reason}`),
      ],
    },
    {
      title: 'windows; the one with the least log loss on the selection days is chosen',
      columns: ['window', 'rows', 'positive', 'trained in', 'log loss', 'release', ''],
      rows: windows.map((each) => [
        each.window,
        String(each.rows ?? '-'),
        String(each.positives ?? '-'),
        each.seconds === null ? '-' : `${each.seconds} s`,
        each.selectionLogLoss?.toFixed(5) ?? '-',
        shortDigest(each.release),
        each.isChosen ? 'chosen' : (each.reason ?? ''),
      ]),
      empty: 'no window was planned',
    },
    ...(compared === undefined ? [] : compared.sections),
    ...(gates.length === 0
      ? []
      : [
          {
            title: 'gates, as dev judges them before it offers a release',
            columns: ['gate', 'verdict', 'reasons'],
            rows: gates.map(({ gate, verdict, reasons: why }) => [gate, verdict, why.join('; ')]),
          },
        ]),
    ...(files === undefined
      ? []
      : [
          {
            lines: [
              `report  ${page}`,
              `to compare a later one with this candidate: --against ${chosen?.release ?? ''}`,
            ],
          },
        ]),
  ];
  const report: Report = {
    data: {
      model: name,
      asOf,
      against,
      status: ending.status,
      reasons,
      dataCheck: check ?? null,
      windows,
      comparison: compared?.data ?? null,
      gates,
      report: files === undefined ? null : { page, ...files },
    },
    sections,
  };
  const html = files === undefined ? undefined : await releases.read(files.html);
  return { status: ending.status, reasons, report, html };
}
