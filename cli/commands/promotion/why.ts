import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { TargetEnvironment } from '#domain/policy/policy.ts';
import { readRecords } from '#read-model/chain.ts';
import { readGrounds } from '#read-model/grounds.ts';
import { readPromotions } from '#read-model/promotions.ts';
import type { Run } from '../../context.ts';
import { RefusedError } from '../../refusal.ts';
import { readProspect } from '#read-model/prospect.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { mustNotBeQuarantined, quarantineOf, verdictOfDev } from './not-there.ts';
import { attestationLines } from './attestations-view.ts';
import { prospectOf } from './prospect.ts';
import { prospectReport, whyReport, withGatesNow } from './why-view.ts';

export const run: Run = async (context) => {
  const { release: named, to } = context.input(z.object({ release: z.string(), to: TargetEnvironment }));
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), await modelNames(context));
  const { ledger } = context.cloud(to);
  const promotion = (await readPromotions(ledger, found.model)).find((each) => each.release === found.release);
  if (promotion === undefined) {
    await mustNotBeQuarantined(context, found, to);
    const ended = (await readRecords(ledger, found.model)).findLast(
      ({ record }) => record.code === 'PROMOTION_REFUSED' && record.release === found.release,
    );
    if (ended !== undefined) {
      const { rule, reasons } = detailsOf(ended.record, 'PROMOTION_REFUSED');
      throw new RefusedError({
        rule,
        found: reasons.join('; '),
        remedy: `request again when it has changed: gatehouse promote ${named} --to ${to}`,
      });
    }
    await verdictOfDev(context, found);
    context.print(prospectReport(found, to, await prospectOf(context, found, to), context.now()));
    return;
  }
  const hasEnded = ['refused', 'failed', 'superseded'].includes(promotion.status);
  // Of one that has ended people want to know what another request would meet.
  const prospect = hasEnded
    ? await prospectOf(context, found, to)
    : await readProspect(ledger, { ...found, objectiveMs: null }, to, context.now());
  const lines = attestationLines(prospect.attestations, prospect.rule, context.now());
  const report = whyReport(await readGrounds(ledger, promotion), lines, context.now());
  context.print(hasEnded ? withGatesNow(report, prospect) : report);
  const quarantine = await quarantineOf(context, found, to);
  if (quarantine === undefined) return;
  const { rule, found: what, remedy } = quarantine;
  context.print({
    data: { quarantine },
    sections: [{ title: 'since then', lines: [`  ${rule}: ${what}; ${remedy}`] }],
  });
};
