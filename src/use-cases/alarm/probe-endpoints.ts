import { z } from 'zod';
import { ENDPOINT_METRICS } from '#domain/alarm/alarm.ts';
import { Probe } from '#domain/alarm/probe.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { probe, type Probing } from './probe-endpoint.ts';

export const ProbeEndpoints = contract({
  input: z.object({}),
  output: z.object({ probes: z.record(z.string(), Probe) }),
});

/** Probes every endpoint, each minute. What a probe of one model meets keeps no other from being probed. */
export function probeEndpoints(deps: Probing): Task {
  return ProbeEndpoints.task(async () => {
    const { models } = deps.endpoints;
    const probes = await Promise.all(models.map(async (model) => [model, await probe(deps, model)] as const));
    for (const [model, { status }] of probes) {
      // Of what is unavailable nothing is known: a metric that is missing pages by itself.
      if (status === 'unavailable') continue;
      const { environment } = deps;
      const failed = status === 'none' ? {} : { [ENDPOINT_METRICS.probeFailed]: Number(status === 'failed') };
      deps.metrics.emit({ environment, model }, { [ENDPOINT_METRICS.probes]: 1, ...failed });
    }
    return { probes: Object.fromEntries(probes) };
  });
}
