import type { ArmCore } from '#serving/arm-core.ts';
import type { ArmAnswer } from '#serving/arm-protocol.ts';
import { logger } from './observability.ts';

/** Serves the calls of an endpoint's function. The log says what came of a call, and nothing of its events. */
export function armHandler(core: ArmCore): (payload: unknown) => Promise<ArmAnswer> {
  return async (payload) => {
    const started = performance.now();
    const { answer, fault } = await core.answer(payload);
    const { kind } = answer;
    const line = { kind, milliseconds: Math.round(performance.now() - started) };
    if (answer.kind === 'answered') {
      logger.info('call answered', line);
      return answer;
    }
    // What was found of a request may hold its values.
    const { rule } = answer.refusal;
    if (fault === undefined) logger.info('call refused', { ...line, rule });
    else logger.error('call failed', { ...line, rule, error: fault instanceof Error ? fault : JSON.stringify(fault) });
    return answer;
  };
}
