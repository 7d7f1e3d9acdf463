// The serving core over HTTP, beside a bare onnxruntime that is given the features.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelMetadata } from '#serving/protocol.ts';
import { requestOf } from '#domain/prediction/inference-request.ts';
import { type Figure, figure, quantile } from '../_report.ts';
import type { HostOrder, Prepared } from './host.ts';
import { callsOf, clientOf, startHost } from './load.ts';
import type { Asked, EndpointWorld } from './world.ts';

/** How much is sent. */
export interface Load {
  /** Requests one after the other, of which the latencies are. */
  readonly latency: number;
  /** Requests of eight senders at once, of which the throughput is. */
  readonly throughput: number;
}

/** The body of a request to the endpoint. */
export function bodyOf({ definition }: Pick<EndpointWorld, 'definition'>, asked: Asked): string {
  return JSON.stringify(
    requestOf(modelMetadata(definition, '1'), { events: [...asked.events], context: [...asked.context] }),
  );
}

/** The body of a request to the bare server: the same events as rows of features. */
export function bareBodyOf(
  { definition }: Pick<EndpointWorld, 'definition'>,
  { events }: Asked,
  prepared: Prepared,
): string {
  const rows = events.map((event) => prepared[String(event[definition.events.id])] ?? []);
  const shape = [rows.length, definition.features.columns.length];
  return JSON.stringify({ inputs: [{ name: 'features', datatype: 'FP32', shape, data: rows.flat() }] });
}

/** Figures of both servers, by one event and by a hundred. */
export async function httpFigures(world: EndpointWorld, prepared: Prepared, load: Load): Promise<Figure[]> {
  const { definition, served } = world;
  const onnx = join(served.folder, 'bare.onnx');
  await writeFile(onnx, world.onnx);
  const path = `/v2/models/${definition.name}/infer`;
  const measure = async (order: HostOrder, bodies: readonly string[], part: number) => {
    const host = await startHost(order);
    const client = clientOf(host.port, path, 8);
    try {
      const count = Math.ceil(load.latency / part);
      await callsOf(client, bodies, { count, senders: 1 });
      const { milliseconds } = await callsOf(client, bodies, { count, senders: 1 });
      const { perSecond } = await callsOf(client, bodies, { count: Math.ceil(load.throughput / part), senders: 8 });
      return { milliseconds, perSecond };
    } finally {
      client.close();
      await host.end();
    }
  };
  const figures: Figure[] = [];
  for (const [what, asked, part] of [
    ['one event', world.one, 1],
    ['a hundred events', world.hundred, 10],
  ] as const) {
    const bodies = asked.map((each) => bodyOf(world, each));
    const bareBodies = asked.map((each) => bareBodyOf(world, each, prepared));
    const bare = await measure({ kind: 'bare', onnx, width: definition.features.columns.length }, bareBodies, part);
    const core = await measure({ kind: 'core', served, prepared }, bodies, part);
    const whole = await measure({ kind: 'core', served }, bodies, part * 4);
    const anchor = 'bare onnxruntime over HTTP';
    const most = quantile(bare.milliseconds, 0.99) + 5;
    for (const share of [0.5, 0.99])
      figures.push(
        figure(
          `${what} without the feature step, p${share * 100}`,
          'ms',
          quantile(core.milliseconds, share),
          [anchor, quantile(bare.milliseconds, share)],
          share === 0.99 ? { oursAtMost: most } : {},
        ),
      );
    figures.push(
      figure(`${what} without the feature step`, 'requests/s', core.perSecond, [anchor, bare.perSecond], {
        ratioAtLeast: 0.7,
      }),
      ...[0.5, 0.99].map((share) =>
        figure(
          `${what}, p${share * 100}`,
          'ms',
          quantile(whole.milliseconds, share),
          ['without the feature step', quantile(core.milliseconds, share)],
          {},
        ),
      ),
      figure(what, 'requests/s', whole.perSecond, ['without the feature step', core.perSecond], {}),
    );
  }
  return figures;
}
