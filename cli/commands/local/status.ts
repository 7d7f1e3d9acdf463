import { localCloudStatus } from '#local/emulator/cloud.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';

export const run: Run = async (context) => {
  const status = localCloudStatus(context.home);
  switch (status.state) {
    case 'running':
      context.print({
        data: status,
        sections: [
          {
            lines: [
              `running at ${status.cloud.endpoint} since ${status.cloud.startedAt}, state in ${status.cloud.home}`,
            ],
          },
        ],
      });
      return;
    case 'stopped':
      context.print({ data: status, sections: [{ lines: ['stopped; start it: gatehouse local up'] }] });
      return;
    case 'broken':
      refuse(
        'local-cloud-whole',
        `${status.dead.join(' and ')} has ended`,
        `start it again: gatehouse local up (logs: ${status.logs.join(', ')})`,
      );
  }
};
