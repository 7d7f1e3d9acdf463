// The SageMaker subset as a process: `node main.ts <home> <port> <emulator's endpoint> <region> [<owner's pid>]`.
import { serve } from '@hono/node-server';
import { createIssuer, LOCAL_ISSUER } from '../ci/issuer.ts';
import { isAlive } from '../emulator/processes.ts';
import { createSageMaker } from './server.ts';

const [home, port, endpoint, region, owner] = process.argv.slice(2);
if (home === undefined || port === undefined || endpoint === undefined || region === undefined) {
  throw new Error('usage: main.ts <home> <port> <endpoint> <region> [<owner>]');
}
const sagemaker = createSageMaker({ home, endpoint, region });
// One process less: the issuer of CI's tokens is served beside it.
sagemaker.app.route(LOCAL_ISSUER.path, createIssuer(home, `http://127.0.0.1:${port}`));
const end = (): never => {
  sagemaker.killAll();
  process.exit(0);
};
process.on('SIGTERM', end);
process.on('SIGINT', end);
// A killed test leaves nothing behind.
if (owner !== undefined) setInterval(() => isAlive(Number(owner)) || end(), 1_000).unref();
await sagemaker.recover();
serve({ fetch: sagemaker.app.fetch, port: Number(port), hostname: '127.0.0.1' });
