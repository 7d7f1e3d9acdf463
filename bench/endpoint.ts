// Predictions on request: what the serving core adds to a bare model, what its features take, whether switches lose requests,
// and what a cold start is spent on. All of it is on this machine, with the ledger in memory and files in folders.
import { join } from 'node:path';
import { engineVersion } from '#adapters/duckdb/database.ts';
import { runtimeVersion } from '#adapters/onnx/scorer.ts';
import { loadavg } from 'node:os';
import { coldFigures } from './endpoint/cold-figures.ts';
import { featureFigures, preparedOf } from './endpoint/features.ts';
import { bodyOf, httpFigures } from './endpoint/http.ts';
import { switchFigures } from './endpoint/switches.ts';
import { DAY, endpointWorld } from './endpoint/world.ts';
import { report } from './_report.ts';

const REQUESTS = 400;
const note = (text: string): void => console.error(`  ${text}`);

note('two releases of the flights');
const world = await endpointWorld(join(import.meta.dirname, '../.gatehouse/bench/endpoint'), REQUESTS);
const load = loadavg()[0] ?? 0;
note('the feature step');
const features = await featureFigures(world);
const prepared = await preparedOf(world, [...world.one, ...world.hundred]);
note('over HTTP');
const http = await httpFigures(world, prepared, { latency: 2000, throughput: 4000 });
note('switches');
const bodies = world.one.map((asked) => bodyOf(world, asked));
const switches = await switchFigures({ kind: 'core', served: world.served }, bodies, { times: 20, perSecond: 50 });
note('cold starts');
const cold = await coldFigures(world, bodies[0] ?? '');
report(
  'endpoint',
  {
    title: 'Predictions on request',
    about: `Flights of ${DAY} (a tenth of all flights, as the quickstart lands them) with the declared context of each, asked of a process of its own over kept-alive connections: latencies one after the other, throughput by eight senders. Without the feature step, features were computed before and are looked up by the event's id; all else of the serving core is as it is: the bodies with their context, the protocol, the pointer, digests, the model. The bare server is node:http and onnxruntime-node, given rows of features as a tensor of the same protocol, and checks nothing. Two releases of two trained models take turns in switches; the pointer is read once a second. The load average was ${load.toFixed(1)} before the first measure.`,
    versions: { engine: engineVersion, scorer: runtimeVersion },
  },
  [...features, ...http, ...switches, ...cold],
);
