import { z } from 'zod';
import { personOf } from '#domain/control/person.ts';
import { ModelName } from '#domain/model/definition.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { countVotes, PolicyApproval, voteExpiry } from '#domain/policy/activation.ts';
import { differencesOf } from '#domain/policy/differences.ts';
import { TargetEnvironment } from '#domain/policy/policy.ts';
import { Role } from '#domain/policy/role.ts';
import { readActivePolicy, readPolicyVotes } from '#read-model/policy.ts';
import { controlApi } from '../../control/api.ts';
import { missingText } from '../../control/votes.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { modelFolder } from '../../references.ts';
import { render, shortDigest, shortTime } from '../../report.ts';
import { compilePolicyOf } from '../model/policy.ts';
import { differencesSection } from './diff.ts';

const Input = z.object({ model: ModelName, role: Role.optional(), comment: z.string().max(500).default('') });

/** Votes, as the signed-in person, to activate the deployed policy in place of the one in force. */
export const run: Run = async (context) => {
  const { model, role, comment } = context.input(Input);
  const environment = TargetEnvironment.parse(context.environment(['staging', 'prod']));
  const policy = await compilePolicyOf(context, await modelFolder(context, model));
  const digest = policyDigest(policy);
  const { ledger } = context.cloud(environment);
  const active = await readActivePolicy(ledger, model);
  if (active === undefined)
    return refuse('policy-in-force', `${environment} has none yet for ${model}`, 'it is activated with the baseline');
  if (active.policy === digest) {
    context.print({
      data: { model, environment, policy: digest, status: 'in force' },
      sections: [{ lines: [`${environment} has ${shortDigest(digest)} in force already`] }],
    });
    return;
  }
  const changes = differencesSection(environment, active.policy, digest, differencesOf(active.rules, policy));
  context.note(render({ data: null, sections: [changes] }, 'table'));
  await context.confirm(`Vote to activate this policy of ${model} in ${environment}?`);
  const control = await controlApi(context);
  const { policy: replaces, activation } = active;
  const vote = {
    model,
    environment,
    policy: digest,
    replaces,
    activation,
    comment,
    ...(role === undefined ? {} : { role }),
  };
  const decided = await control.vote(vote);
  const mine = PolicyApproval.parse({
    formatVersion: 1,
    model,
    policy: digest,
    replaced: activation,
    subject: personOf(control.username),
    role: decided.role,
    statement: decided.statement,
    expiresAt: voteExpiry(active, environment, context.now().toISOString()),
  });
  const others = await readPolicyVotes(ledger, model, active);
  const votes = [...others.filter((each) => each.subject !== mine.subject), mine];
  const { missing } = countVotes(active, digest, votes, context.now());
  context.print({
    data: { ...vote, ...decided, status: 'voted', expiresAt: mine.expiresAt, missing },
    sections: [
      {
        lines: [
          `voted as ${decided.role} for ${shortDigest(digest)} in ${environment}; ${missingText(missing)}`,
          `the vote counts until ${shortTime(mine.expiresAt)}, and only in place of ${shortDigest(replaces)}`,
          `${environment} verifies the signed vote, and that this policy is deployed there; see: gatehouse policy show ${model}`,
        ],
      },
    ],
  });
};
