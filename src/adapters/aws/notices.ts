import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { ApprovalRequest } from '#domain/control/request.ts';
import { checkedMessage } from '#domain/limits.ts';
import type { Notices } from '#ports/notices.ts';

/** Notices through an SNS topic: what is asked, of whom, until when, and the command to type. */
export function snsNotices(client: SNSClient, topicArn: string): Notices {
  return {
    async askApprovers(request) {
      await client.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: subjectOf(request),
          Message: checkedMessage('a notice', noticeText(request)),
        }),
      );
    },
  };
}

/** SNS takes at most 100 ASCII characters. */
function subjectOf(request: ApprovalRequest): string {
  return `${request.model} ${request.version} waits for approval into ${request.environment}`.slice(0, 100);
}

/** The text of a notice. It names what is to be decided; deciding needs signing in. */
export function noticeText(request: ApprovalRequest): string {
  const asked = request.approvals.map(({ role, count }) => `${count} of ${role}`).join(', ');
  return [
    `${request.model}@${request.version} is to be promoted to ${request.environment}.`,
    `Release: ${request.release}`,
    `Asked for by: ${request.requestedBy}`,
    `Required: ${asked}; until ${request.expiresAt}`,
    ...request.summary.map((line) => `- ${line}`),
    '',
    `Look: gatehouse why ${request.model}@${request.version} --to ${request.environment}`,
    `Decide, signed in: gatehouse approve ${request.promotion}  or  gatehouse reject ${request.promotion}`,
  ].join('\n');
}
