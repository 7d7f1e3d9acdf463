import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { rulesOf } from '#domain/policy/differences.ts';
import { readActivePolicy, readPolicyVotes } from '#read-model/policy.ts';
import type { Run } from '../../context.ts';
import { warningOf } from '../canary/by-entity.ts';
import { modelFolder } from '../../references.ts';
import { voteText } from '../../control/votes.ts';
import { shortDigest } from '../../report.ts';
import { compileFloor, compilePolicyOf } from '../model/policy.ts';
import { whereDeployed } from '../status/collect.ts';

/** A model's policy as its files say it, where it is in force, and who has voted to activate it. */
export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const [floor, policy] = [
    await compileFloor(context),
    await compilePolicyOf(context, await modelFolder(context, model)),
  ];
  const digest = policyDigest(policy);
  const environments = await Promise.all(
    (['staging', 'prod'] as const).map(async (environment) => {
      const { ledger } = context.cloud(environment);
      const active = await whereDeployed(readActivePolicy(ledger, model), undefined);
      const votes = active === undefined ? [] : await readPolicyVotes(ledger, model, active);
      const votedBy = votes.filter((vote) => vote.policy === digest).map((vote) => voteText(vote, context.now()));
      return { environment, inForce: active?.policy ?? null, activation: active?.activation ?? 0, votedBy };
    }),
  );
  const base = rulesOf(floor);
  const warning = await warningOf(policy);
  context.print({
    data: { model, digest, policy, floor, environments, warning: warning ?? null },
    sections: [
      { lines: [`${model}: policy ${digest}`] },
      {
        title: 'in force',
        columns: ['environment', 'policy', 'is', 'votes for this one'],
        rows: environments.map(({ environment, inForce, votedBy }) => [
          environment,
          shortDigest(inForce),
          inForce === null ? 'none yet' : inForce === digest ? 'this one' : 'another',
          inForce === digest ? '' : votedBy.join(', ') || 'none',
        ]),
      },
      {
        title: 'rules',
        columns: ['rule', 'value', "organisation's floor"],
        rows: [...rulesOf(policy)]
          .filter(([path]) => path !== 'formatVersion' && path !== 'model')
          .map(([path, value]) => [path, value, base.get(path) === value ? 'the same' : (base.get(path) ?? '-')]),
      },
      ...(warning === undefined ? [] : [{ lines: [warning] }]),
    ],
  });
};
