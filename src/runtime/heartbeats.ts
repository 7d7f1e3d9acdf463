import { heartbeats, type LeavingHeartbeats } from '#use-cases/supervision/heartbeat.ts';
import { logger } from './observability.ts';

/** Tasks that leave a heartbeat; one that cannot be left is a line of the log, and the alert that follows is the loud part. */
export function loggedHeartbeats(deps: Omit<LeavingHeartbeats, 'onLost'>): ReturnType<typeof heartbeats> {
  return heartbeats({
    ...deps,
    onLost: (error) => logger.error('heartbeat lost', { error: error instanceof Error ? error : String(error) }),
  });
}
