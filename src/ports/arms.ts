import type { CalledArm } from '#domain/promotion/traffic.ts';

/** Calls the functions of the arms. */
export interface ArmCaller {
  /**
   * What the function of an arm says to a call, as it came: who calls judges it.
   *
   * @param signal ends the call: nobody waits for what it brings any more
   * @throws what kept the function from answering
   */
  call(arm: CalledArm, payload: object, signal: AbortSignal): Promise<unknown>;
}
