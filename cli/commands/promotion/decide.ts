import { z } from 'zod';
import type { ApprovalRequest } from '#domain/control/request.ts';
import { Role } from '#domain/policy/role.ts';
import type { Context, Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { controlApi } from '../../control/api.ts';
import { type Section, shortDigest, shortTime } from '../../report.ts';

const Input = z.object({ promotion: z.string().min(3), role: Role.optional(), comment: z.string().max(500) });

/** The command that decides in one of the two ways. */
export function deciding(decision: 'approve' | 'reject'): Run {
  return async (context) => {
    const { promotion, role, comment } = context.input(Input);
    const control = await controlApi(context);
    const request = findRequest(await control.requests(), promotion);
    context.note(requestLines(request).join('\n'));
    await consent(context, decision, request);
    // What was shown is what is decided on: control refuses if it has become something else.
    const { model, release, evidence } = request;
    const input = {
      model,
      promotion: request.promotion,
      decision,
      comment,
      release,
      evidence,
      ...(role === undefined ? {} : { role }),
    };
    const decided = await control.decide(input);
    context.print({
      data: { ...decided, request },
      sections: [decidedSection(decision, request, decided.decision.role)],
    });
  };
}

/** The request that a name or the beginning of one means; those that wait come first. */
export function findRequest(requests: readonly ApprovalRequest[], name: string): ApprovalRequest {
  const exact = requests.find((request) => request.promotion === name);
  if (exact !== undefined) return exact;
  const matching = requests.filter((request) => request.promotion.startsWith(name));
  const waiting = matching.filter((request) => request.status === 'waiting');
  const [only, ...others] = waiting.length > 0 ? waiting : matching;
  if (only === undefined) {
    const open = requests.filter((request) => request.status === 'waiting').map((request) => request.promotion);
    return refuse(
      'approval-requested',
      `no approval was requested of ${name}`,
      `what waits: ${open.join(', ') || 'nothing'}`,
    );
  }
  if (others.length === 0) return only;
  return refuse(
    'promotion-unique',
    `${name} begins ${others.length + 1} promotions`,
    `name one: ${[only, ...others].map((each) => each.promotion).join(', ')}`,
  );
}

/** What a person sees before deciding. */
export function requestLines(request: ApprovalRequest): readonly string[] {
  const asked = request.approvals.map(({ role, count }) => `${count} of ${role}`).join(', ');
  return [
    `${request.model}@${request.version} into ${request.environment} (${request.promotion})`,
    `  release       ${request.release}`,
    `  requested by  ${request.requestedBy}`,
    ...(request.hotfix === undefined ? [] : [`  HOTFIX        past staging: ${request.hotfix.reason}`]),
    `  decide        ${asked}; until ${shortTime(request.expiresAt)}`,
    ...request.summary.map((line) => `  - ${line}`),
  ];
}

async function consent(context: Context, decision: string, request: ApprovalRequest): Promise<void> {
  await context.confirm(`${decision} ${request.model}@${request.version} into ${request.environment}?`);
}

function decidedSection(decision: 'approve' | 'reject', request: ApprovalRequest, role: string): Section {
  const word = decision === 'approve' ? 'approved' : 'rejected';
  return {
    lines: [
      `${word} ${request.model}@${request.version} (${shortDigest(request.release)}) into ${request.environment}, as ${role}`,
      `${request.environment} verifies the signed decision and goes on by itself; see: gatehouse status ${request.model}`,
    ],
  };
}
