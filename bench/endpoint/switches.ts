// Whether a switch of the pointer loses a request: steady requests, of which each has to be answered by the release that it should be.
import { setTimeout as pause } from 'node:timers/promises';
import { InferenceResponse } from '#serving/protocol.ts';
import { type Figure, figure, quantile } from '../_report.ts';
import type { HostOrder } from './host.ts';
import { type Call, clientOf, startHost, steadily } from './load.ts';

/** A pointer that was switched: between the two times it named the one or the other. */
export interface Switch {
  readonly asked: number;
  readonly done: number;
  readonly to: string;
}

/** What became of the requests: each is one of them. */
export interface Outcomes {
  readonly failed: number;
  /** Answered by a release that the pointer did not name while the request waited, nor in the seconds for which a reading is good. */
  readonly wrong: number;
  readonly right: number;
  /** Milliseconds of those that came when the pointer had been switched and a reading from before it was still good. */
  readonly during: readonly number[];
  readonly between: readonly number[];
}

/** Judges each call by the releases that it may have been answered by; `first` is served before the first switch. */
export function outcomesOf(
  calls: readonly Call[],
  switches: readonly Switch[],
  first: string,
  maxAgeSeconds: number,
): Outcomes {
  let [failed, wrong, right] = [0, 0, 0];
  const [during, between]: [number[], number[]] = [[], []];
  const goodFor = maxAgeSeconds * 1000;
  for (const { began, ended, status, body } of calls) {
    const since = switches.findLastIndex(({ done }) => done + goodFor < began);
    const until = switches.findLastIndex(({ asked }) => asked <= ended);
    const may = new Set([
      since === -1 ? first : switches[since]?.to,
      ...switches.slice(since + 1, until + 1).map(({ to }) => to),
    ]);
    (until > since ? during : between).push(ended - began);
    const answered = status === 200 ? InferenceResponse.safeParse(JSON.parse(body)) : undefined;
    if (answered?.success !== true) failed += 1;
    else if (may.has(answered.data.parameters.digest)) right += 1;
    else wrong += 1;
  }
  return { failed, wrong, right, during, between };
}

/** Switches between two releases while so many requests a second arrive. */
export async function switchFigures(
  order: Extract<HostOrder, { kind: 'core' }>,
  bodies: readonly string[],
  { times, perSecond }: { readonly times: number; readonly perSecond: number },
): Promise<Figure[]> {
  const { definition, releases } = order.served;
  const [first = '', second = ''] = releases;
  const seconds = definition.online?.pointerMaxAgeSeconds ?? 0;
  const host = await startHost(order);
  const client = clientOf(host.port, `/v2/models/${definition.name}/infer`, perSecond);
  try {
    await client.post(bodies[0] ?? '');
    const [calls, switches]: [Call[], Switch[]] = [[], []];
    const load = steadily(perSecond, async (index) => {
      const body = bodies[index % bodies.length] ?? '';
      const lost = { began: performance.now(), status: 0, body: '' };
      calls.push(await client.post(body).catch(() => ({ ...lost, ended: performance.now() })));
    });
    for (let turn = 0; turn < times; turn += 1) {
      await pause(500);
      const asked = performance.now();
      const to = turn % 2 === 0 ? second : first;
      await host.switchTo(to);
      switches.push({ asked, done: performance.now(), to });
      // As long as a reading is good, so that requests are also answered by one release alone.
      await pause(seconds * 1000 + 500);
    }
    await load.stop();
    const { failed, wrong, right, during, between } = outcomesOf(calls, switches, first, seconds);
    const of = `${times} switches at ${perSecond} requests/s`;
    const all = [`of ${calls.length} requests`, null] as const;
    return [
      figure(`${of}: failed`, 'requests', failed, all, { oursAtMost: 0 }),
      figure(`${of}: answered by another release than the pointer's`, 'requests', wrong, all, { oursAtMost: 0 }),
      figure(`${of}: answered by the pointer's`, 'requests', right, all, { oursAtLeast: calls.length }),
      figure(
        `p99 in the ${seconds} s after a switch`,
        'ms',
        quantile(during, 0.99),
        ['between switches', quantile(between, 0.99)],
        {},
      ),
    ];
  } finally {
    client.close();
    await host.end();
  }
}
