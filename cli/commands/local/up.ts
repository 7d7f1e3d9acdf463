import { startLocalCloud } from '#local/emulator/cloud.ts';
import type { Run } from '../../context.ts';

export const run: Run = async (context) => {
  const { account, region } = context.config.environments.control;
  const cloud = await startLocalCloud({ home: context.home, controlAccount: account, region });
  const { environment, ...data } = cloud;
  context.print({
    data: { ...data, environment },
    sections: [
      {
        lines: [
          `the local cloud runs at ${cloud.endpoint} (SageMaker: ${cloud.sagemakerEndpoint}, CloudWatch: ${cloud.cloudwatchEndpoint}), state in ${cloud.home}`,
          'next: gatehouse deploy, or everything at once: npm run quickstart',
        ],
      },
    ],
  });
};
