import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { PATIENCE_HOURS } from '#domain/promotion/durations.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { readRecords } from '#read-model/chain.ts';
import type { Cloud } from '../../cloud.ts';
import type { Draw, Run } from '../../context.ts';
import { interruptibly } from '../../interrupt.ts';
import { RefusedError } from '../../refusal.ts';
import { render } from '../../report.ts';
import { poll } from '../../waiting.ts';
import { findPromotionNamed } from './find-promotion.ts';
import { headline, promotionReport, watchedSections } from './show-view.ts';
import { promotionReader, type PromotionView } from './watched.ts';

/** A canary is looked at once a minute at most; its promotion changes seldom as well. */
const LOOK_MS = 5000;

/** Follows a promotion until it has ended: drawn again and again in a terminal, line by line without one. */
export const run: Run = async (context) => {
  const { promotion: named } = context.input(z.object({ promotion: z.string().min(3) }));
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const promotion = await findPromotionNamed(context, cloud, named);
  const read = promotionReader(cloud, promotion);
  const goesOn = `${promotion.promotion} goes on; watch it: gatehouse promotion watch ${promotion.promotion} --env ${cloud.environment}`;
  const follow = async (draw: Draw, signal: AbortSignal): Promise<PromotionView | undefined> => {
    let said: readonly string[] = [];
    const look = async (): Promise<PromotionView | undefined> => {
      const view = await read(context.now());
      const lines = linesOf(view);
      draw(
        render({ data: null, sections: watchedSections(view, context.now()) }, 'table').split('\n'),
        lines.filter((line) => !said.includes(line)),
      );
      said = lines;
      return view.phase === 'over' ? view : undefined;
    };
    return poll(look, PATIENCE_HOURS * 3_600_000, signal, LOOK_MS);
  };
  const title = promotion.promotion;
  const ended = await context.showing(title, (draw) => interruptibly(goesOn, (signal) => follow(draw, signal)));
  const view = ended ?? (await read(context.now()));
  context.print(promotionReport(view, context.now()));
  if (view.promotion.status === 'committed') return;
  throw new RefusedError(await whyEnded(cloud, view.promotion));
};

/** What is told where nothing can be drawn again: a line for each thing that may change. */
function linesOf(view: PromotionView): readonly string[] {
  const { canary, shadow, records, approvals } = view;
  const judgement = canary?.judgement;
  return [
    headline(view),
    ...(approvals.missing.length === 0 ? [] : [`  waits for ${approvals.missing.join(', ')}`]),
    ...(shadow === null || shadow.verdict === 'NOT JUDGED'
      ? []
      : [`  shadow: ${shadow.verdict}: ${shadow.reasons.join('; ')}`]),
    ...(judgement === null || judgement === undefined
      ? []
      : [`  ${judgement.minutes} of ${judgement.minutesNeeded} minutes: ${judgement.verdict}: ${judgement.found}`]),
    ...records.map(({ at, code, found }) => `  ${at} ${code} ${found}`),
  ];
}

/** Why a promotion was not promoted, as its chain says it. */
async function whyEnded({ ledger, environment }: Cloud, promotion: Promotion): Promise<Refusal> {
  const { model, promotion: name, status, ending } = promotion;
  const records = (await readRecords(ledger, model)).map(({ record }) => record);
  const refused = records.findLast(
    ({ code, details }) => code === 'PROMOTION_REFUSED' && details['promotion'] === name,
  );
  const remedy = `see: gatehouse promotion show ${name} --env ${environment}`;
  if (refused !== undefined) {
    const { rule, reasons } = detailsOf(refused, 'PROMOTION_REFUSED');
    return { rule, found: reasons.join('; '), remedy };
  }
  const rule =
    status === 'superseded' ? 'promotion-newest' : status === 'failed' ? 'promotion-succeeded' : 'promotion-open';
  return { rule, found: `${name} is ${status}: ${ending ?? 'no reason was recorded'}`, remedy };
}
