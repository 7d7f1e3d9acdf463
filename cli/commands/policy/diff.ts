import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { type Difference, differencesOf } from '#domain/policy/differences.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { warningOf } from '../canary/by-entity.ts';
import { modelFolder } from '../../references.ts';
import { type Section, shortDigest, shortTime } from '../../report.ts';
import { compilePolicyOf } from '../model/policy.ts';
import { replayPromotions } from './replay.ts';

/** What the policy of the files would change of the one that is in force, and of the past promotions judged by it. */
export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['staging', 'prod'], 'prod');
  const policy = await compilePolicyOf(context, await modelFolder(context, model));
  const cloud = context.cloud(environment);
  const active = await readActivePolicy(cloud.ledger, model);
  if (active === undefined)
    return refuse(
      'policy-in-force',
      `${environment} has none yet for ${model}`,
      'the first comes into force with the baseline; see: gatehouse policy show',
    );
  const differences = differencesOf(active.rules, policy);
  const replayed = await replayPromotions(cloud, model, policy);
  const digest = policyDigest(policy);
  const warning = await warningOf(policy);
  context.print({
    data: {
      model,
      environment,
      inForce: active.policy,
      policy: digest,
      differences,
      replayed,
      warning: warning ?? null,
    },
    sections: [
      differencesSection(environment, active.policy, digest, differences),
      {
        title: `past promotions into ${environment}, judged again from their measurements`,
        columns: ['version', 'opened', 'gate', 'said', 'would say', 'because'],
        rows: replayed.map(({ version, openedAt, gate, said, wouldSay, reasons }) => [
          version,
          shortTime(openedAt),
          gate,
          said,
          wouldSay === said ? 'the same' : wouldSay.toUpperCase(),
          wouldSay === said ? '' : reasons.join('\n'),
        ]),
        empty: 'none was measured yet',
      },
      ...(warning === undefined ? [] : [{ lines: [warning] }]),
    ],
  });
};

/** What changes, as people read it. */
export function differencesSection(
  environment: string,
  before: string,
  after: string,
  differences: readonly Difference[],
): Section {
  return {
    title: `in force in ${environment}: ${shortDigest(before)}; in the files: ${shortDigest(after)}`,
    columns: ['rule', 'in force', 'in the files', ''],
    rows: differences.map((each) => [
      each.path,
      each.before ?? '-',
      each.after ?? '-',
      each.direction === 'not looser' ? '' : each.direction.toUpperCase(),
    ]),
    empty: 'they say the same',
  };
}
