import type { CalledArm } from '#domain/promotion/traffic.ts';
import type { ArmCaller } from '#ports/arms.ts';

/** Arms in this process, by what each answers; what comes and goes is JSON, as between functions. */
export function memoryArms(
  arms: Partial<Record<CalledArm, (payload: unknown, signal: AbortSignal) => Promise<unknown>>>,
): ArmCaller {
  return {
    async call(arm, payload, signal) {
      const answer = arms[arm];
      if (answer === undefined) throw new Error(`there is no function of the ${arm}`);
      return JSON.parse(JSON.stringify(await answer(JSON.parse(JSON.stringify(payload)), signal))) as unknown;
    },
  };
}
