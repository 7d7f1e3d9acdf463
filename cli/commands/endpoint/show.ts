import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { readPointer } from '#read-model/pointer.ts';
import { callerOf } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { signedCall } from '#adapters/aws/signed-call.ts';
import { Metadata } from './protocol.ts';
import { endpointUrl } from './read.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const url = await endpointUrl(cloud, model);
  const pointer = await readPointer(cloud.ledger, model);
  const get = (path: string) => signedCall(callerOf(cloud), new URL(path, url), { method: 'GET' });
  const [ready, told] = await Promise.all([get(`/v2/models/${model}/ready`), get(`/v2/models/${model}`)]);
  // Without a release that loads there is no metadata, and what is said instead of ready says why.
  const metadata = told.status === 200 ? Metadata.parse(JSON.parse(told.text)) : undefined;
  const isReady = ready.status === 200;
  const circuits = circuitsIn(ready.text);
  context.print({
    data: {
      environment: cloud.environment,
      url: url.href,
      ready: isReady,
      ...(metadata ?? { inputs: [] }),
      pointer: pointer?.version ?? null,
      circuits,
    },
    sections: [
      {
        lines: [
          `${model} in ${cloud.environment}: ${url.href}`,
          `  ${isReady ? 'ready' : `NOT READY: ${ready.text}`}; the pointer names ${pointer === undefined ? 'nothing' : `${pointer.version}, ${pointer.current}`}`,
          `  look-ups of the instance that answered: ${
            Object.entries(circuits)
              .map(([lookUp, state]) => `${lookUp} ${state}`)
              .join(', ') || 'not told'
          }`,
        ],
      },
      { columns: ['input', 'datatype'], rows: (metadata?.inputs ?? []).map(({ name, datatype }) => [name, datatype]) },
      { lines: [`a prediction: gatehouse endpoint ask ${model} --env ${cloud.environment} --event FILE`] },
    ],
  });
};

/** What the circuits of its look-ups let through, by the instance that answered; nothing where none did. */
function circuitsIn(text: string): Readonly<Record<string, string>> {
  try {
    const { circuits } = z.looseObject({ circuits: z.record(z.string(), z.string()) }).parse(JSON.parse(text));
    return circuits;
  } catch {
    return {};
  }
}
