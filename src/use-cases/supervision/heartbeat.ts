import { keys } from '#domain/ledger/keys.ts';
import { type ScheduleKind, scheduleName } from '#domain/supervision/schedules.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { GatehouseError } from '#domain/error.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import type { Task } from '#use-cases/task.ts';

export interface LeavingHeartbeats {
  readonly environment: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Takes the fault of a heartbeat that could not be left. */
  readonly onLost: (error: unknown) => void;
}

/** What parameters say where it is a schedule that asks, and nobody else. */
type Asked = readonly [name: string, value: string | null];

/**
 * Tasks that leave a heartbeat: what the supervisor compares with the expected time of the schedule. A round that was made to its end
 * counts, though something in it failed: that is alerted by itself. The work was done: a heartbeat that cannot be left is no fault of it.
 */
export function heartbeats(deps: LeavingHeartbeats): (kind: ScheduleKind, task: Task, by?: Asked) => Task {
  return (kind, task, by) => async (parameters) => {
    const given = new Map(Object.entries(Object(parameters) as object));
    const leave = async (): Promise<void> => {
      if (by === undefined || given.get(by[0]) === by[1]) await leaveHeartbeat(deps, kind, given.get('model'));
    };
    try {
      const result = await task(parameters);
      await leave();
      return result;
    } catch (error) {
      if (error instanceof GatehouseError && error.code === 'ITEMS_FAILED') await leave();
      throw error;
    }
  };
}

/** Says that a schedule ran. */
export async function leaveHeartbeat(deps: LeavingHeartbeats, kind: ScheduleKind, model?: unknown): Promise<void> {
  try {
    const of = typeof model === 'string' ? model : undefined;
    const at = deps.clock.now().toISOString();
    const item = { ...keys.heartbeat(of ?? deps.environment, scheduleName(kind, of)), at };
    await writeUnaudited(deps.ledger, [{ kind: 'put', item }], operationName('h', item.pk, item.sk, at));
  } catch (error) {
    deps.onLost(error);
  }
}
