// Serves what its parent orders, until the parent ends it: client and server share no event loop.
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Digest } from '#domain/canonical/digest.ts';
import { bareServer, coreOf, coreServer, type HostAnswer, type HostOrder, servingOf } from './host.ts';

const tell = (answer: HostAnswer): void => void process.send?.(answer);

async function serverOf(order: HostOrder): Promise<Server> {
  if (order.kind === 'bare') return bareServer(await readFile(order.onnx), order.width);
  const serving = await servingOf(order.served);
  process.on('message', (message: { readonly switchTo?: Digest }) => {
    const { switchTo } = message;
    if (switchTo !== undefined) void serving.switchTo(switchTo).then(() => tell({ switched: switchTo }));
  });
  return coreServer(coreOf(serving, order.prepared));
}

process.once('message', (order: HostOrder) => {
  void serverOf(order).then((server) =>
    server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port })),
  );
});
