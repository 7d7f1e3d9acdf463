import { z } from 'zod';
import { countByRole } from '#domain/approval/approval.ts';
import { personOf } from '#domain/control/person.ts';
import { ModelName } from '#domain/model/definition.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { PolicyApproval } from '#domain/policy/activation.ts';
import { differencesOf } from '#domain/policy/differences.ts';
import { type ApprovalRule, Role, TargetEnvironment } from '#domain/policy/policy.ts';
import { controlApi } from '../../control/api.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { activePolicyOf, policyApprovalsOf } from '../../read.ts';
import { modelFolder } from '../../references.ts';
import { render, shortDigest } from '../../report.ts';
import { compilePolicyOf } from '../model/policy.ts';
import { differencesSection } from './diff.ts';

const Input = z.object({ model: ModelName, role: Role.optional(), comment: z.string().max(500).default('') });

/** Asks, as the signed-in person, for the deployed policy to come into force. */
export const run: Run = async (context) => {
  const { model, role, comment } = context.input(Input);
  const environment = TargetEnvironment.parse(context.environment(['staging', 'prod']));
  const policy = await compilePolicyOf(await modelFolder(context, model));
  const digest = policyDigest(policy);
  const { ledger } = context.cloud(environment);
  const active = await activePolicyOf(ledger, model);
  if (active === undefined)
    return refuse(
      'policy-in-force',
      `${environment} has none yet for ${model}`,
      'it comes into force with the baseline',
    );
  if (active.policy === digest) {
    context.print({
      data: { model, environment, policy: digest, status: 'in force' },
      sections: [{ lines: [`${environment} has ${shortDigest(digest)} in force already`] }],
    });
    return;
  }
  const changes = differencesSection(environment, active.policy, digest, differencesOf(active.rules, policy));
  context.note(render({ data: null, sections: [changes] }, 'table'));
  await context.confirm(`let this policy of ${model} come into force in ${environment}?`);
  const control = await controlApi(context);
  const wish = { model, environment, policy: digest, comment, ...(role === undefined ? {} : { role }) };
  const decided = await control.wish(wish);
  const mine = PolicyApproval.parse({
    formatVersion: 1,
    model,
    policy: digest,
    replaced: active.activation,
    subject: personOf(control.username),
    role: decided.role,
    statement: decided.statement,
  });
  const others = (await policyApprovalsOf(ledger, model, active)).filter((each) => each.policy === digest);
  const { missing } = countByRole(active.rules.activation, [
    ...others.filter((each) => each.subject !== mine.subject),
    mine,
  ]);
  context.print({
    data: { ...wish, ...decided, status: 'asked', missing },
    sections: [
      {
        lines: [
          `asked as ${decided.role} for ${shortDigest(digest)} in ${environment}; ${missingText(missing)}`,
          `${environment} verifies the signed wish, and that this is what is deployed there; see: gatehouse policy show ${model}`,
        ],
      },
    ],
  });
};

function missingText(missing: readonly ApprovalRule[]): string {
  if (missing.length === 0) return 'nobody is missing';
  return `still missing: ${missing.map(({ role, count }) => `${count} of ${role}`).join(', ')}`;
}
