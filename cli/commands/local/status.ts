import { type LocalCloudStatus, localCloudStatus } from '#local/emulator/cloud.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import type { Report } from '../../report.ts';

export const run: Run = async (context) => {
  context.print(localReport(localCloudStatus(context.home)));
};

/** What runs of a local cloud; refused where a part of it has ended. */
export function localReport(status: LocalCloudStatus): Report {
  switch (status.state) {
    case 'running': {
      const { endpoint, startedAt, home } = status.cloud;
      return { data: status, sections: [{ lines: [`running at ${endpoint} since ${startedAt}, state in ${home}`] }] };
    }
    case 'stopped':
      return { data: status, sections: [{ lines: ['stopped; start it: gatehouse local up'] }] };
    case 'broken':
      return refuse(
        'local-cloud-whole',
        `${status.dead.join(' and ')} has ended`,
        `start it again: gatehouse local up (logs: ${status.logs.join(', ')})`,
      );
  }
}
