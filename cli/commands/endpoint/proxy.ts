import { serve } from '@hono/node-server';
import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { endpointProxy } from '../../endpoint/proxy.ts';
import { endpointUrl } from './read.ts';

const Input = z.object({ model: ModelName, port: z.coerce.number().int().min(0).max(65_535).default(8080) });

/** A plain local address whose calls are signed and passed on: clients of the protocol need not know how AWS signs. */
export const run: Run = async (context) => {
  const { model, port } = context.input(Input);
  const cloud = context.cloud(context.environment(['staging', 'prod'], 'prod'));
  const { fetch } = endpointProxy(cloud, await endpointUrl(cloud, model));
  await new Promise((_, reject) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port }, (address) =>
      context.note(`${model} of ${cloud.environment} at http://127.0.0.1:${address.port}/v2; end it with Ctrl-C`),
    );
    server.on('error', reject);
  });
};
