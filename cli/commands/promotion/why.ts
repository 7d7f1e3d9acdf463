import { z } from 'zod';
import { Approval } from '#domain/approval/approval.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { TargetEnvironment } from '#domain/policy/policy.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { approvalsOf, chainOf, evidenceFor, pointerOf, promotionsOf } from '../../read.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { whyReport } from './why-view.ts';

export const run: Run = async (context) => {
  const { release: named, to } = context.input(z.object({ release: z.string(), to: TargetEnvironment }));
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), await modelNames(context));
  const { ledger } = context.cloud(to);
  const promotion = (await promotionsOf(ledger, found.model)).find((each) => each.release === found.release);
  if (promotion === undefined) {
    const ended = (await chainOf(ledger, found.model)).findLast(
      ({ record }) => record.code === 'PROMOTION_REFUSED' && record.release === found.release,
    );
    if (ended !== undefined) {
      const { rule, reasons } = detailsOf(ended.record, 'PROMOTION_REFUSED');
      refuse(rule, reasons.join('; '), `ask again when it has changed: gatehouse promote ${named} --to ${to}`);
    }
    refuse(
      'promotion-known',
      `${found.model}@${found.version} was never offered to ${to}`,
      `ask for it: gatehouse promote ${named} --to ${to}`,
    );
  }
  const [evidence, approvals, pointer] = await Promise.all([
    evidenceFor(ledger, promotion),
    approvalsOf(ledger, found.model, promotion.promotion),
    pointerOf(ledger, found.model),
  ]);
  const pieces = evidence.map((piece) => piece.evidence);
  const isInDebt = pointer?.debt?.promotion === promotion.promotion;
  context.print(whyReport(promotion, pieces, z.array(Approval).parse(approvals), isInDebt, context.now()));
};
