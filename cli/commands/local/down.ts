import { stopLocalCloud } from '#local/emulator/cloud.ts';
import type { Run } from '../../context.ts';

export const run: Run = async (context) => {
  const didRun = await stopLocalCloud(context.home);
  context.print({
    data: { didRun },
    sections: [
      { lines: [didRun ? 'the local cloud has ended; its state is saved' : 'the local cloud was not running'] },
    ],
  });
};
