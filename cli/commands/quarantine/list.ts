import type { Environment } from '#domain/environment/environment.ts';
import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import { countLiftVotes, isAutomatic, type QuarantineApproval } from '#domain/promotion/quarantine.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { readQuarantines, readQuarantineVotes } from '#read-model/quarantines.ts';
import type { Context, Run } from '../../context.ts';
import { missingText, voteText } from '../../control/votes.ts';
import { modelNames, mustBeKnown } from '../../references.ts';
import { shortDigest, shortTime } from '../../report.ts';
import { whereDeployed } from '../status/collect.ts';

/** The quarantines that stand: of what, since when, why, by whom, and who has voted to lift them. */
export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName.optional() }));
  const environments = context.isEnvironmentNamed
    ? [context.environment(['staging', 'prod'])]
    : (['staging', 'prod'] as const);
  if (model !== undefined) await mustBeKnown(context, model, environments.at(-1) ?? 'prod');
  const models = model === undefined ? await modelNames(context) : [model];
  const each = environments.flatMap((environment) =>
    models.map((name) => whereDeployed(quarantinesIn(context, environment, name), [])),
  );
  const quarantines = (await Promise.all(each)).flat();
  context.print({
    data: { quarantines },
    sections: [
      {
        columns: ['environment', 'release', 'digest', 'since', 'by', 'made', 'why', 'votes to lift it'],
        rows: quarantines.map((one) => [
          one.environment,
          `${one.model}@${one.version}`,
          shortDigest(one.release),
          shortTime(one.since),
          one.by,
          one.automatic ? 'automatically' : 'by hand',
          one.reason,
          one.automatic ? votesText(one.votes, one.missing, context.now()) : 'none: it stays',
        ]),
        empty: 'nothing is quarantined',
      },
    ],
  });
};

async function quarantinesIn(context: Context, environment: Environment, model: string) {
  const { ledger } = context.cloud(environment);
  const [quarantines, active] = await Promise.all([readQuarantines(ledger, model), readActivePolicy(ledger, model)]);
  return Promise.all(
    quarantines.map(async (quarantine) => {
      const { release, version, at, actor, reason, rollback } = quarantine;
      const votes = await readQuarantineVotes(ledger, model, quarantine);
      const missing = active === undefined ? [] : countLiftVotes(active, quarantine, votes, context.now()).missing;
      const automatic = isAutomatic(quarantine);
      return {
        environment,
        model,
        release,
        version,
        since: at,
        by: actor,
        automatic,
        reason,
        rollback,
        votes,
        missing,
      };
    }),
  );
}

function votesText(votes: readonly QuarantineApproval[], missing: readonly ApprovalRule[], now: Date): string {
  return [votes.map((vote) => voteText(vote, now)).join(', ') || 'none', missingText(missing)].join('; ');
}
