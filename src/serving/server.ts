import { isDependencyFault } from '#domain/alarm/attribution.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { answerGolden } from './answer.ts';
import { armCalls } from './arm-calls.ts';
import { type Champion, champions, dayOf, servedBy, type Serving } from './champion.ts';
import { answered, type EndpointResponse, isGolden, modelMetadata, refused, refusedBy, SERVER } from './protocol.ts';
import { withCircuits } from './circuits.ts';
import { arrived, logFailure, measure, type Seen } from './measure.ts';
import { predict } from './predict.ts';
import { readRequest } from './read-request.ts';

/** A request as any host hands it over; the path begins with `/v2`. */
export interface EndpointRequest {
  /** The host's name of the call. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** When the call reached the host, where that was before this. */
  readonly receivedAt?: Date | undefined;
  readonly body?: Uint8Array | undefined;
}

/** Answers the Open Inference Protocol, version 2, for one model. */
export interface ServingCore {
  /** Answers one request, whatever it is; nothing is thrown, and nothing runs on after the answer. */
  handle(request: EndpointRequest): Promise<EndpointResponse>;
  close(): Promise<void>;
}

/** A path below a model. */
interface ModelRoute {
  readonly kind: 'metadata' | 'model-ready' | 'infer';
  readonly model: string;
  readonly version?: string;
}

/** What a path stands for. */
type Route = ModelRoute | { readonly kind: 'live' | 'ready' | 'server' };

/** Makes the server of a model. It reads and loads nothing before the first request. */
export function servingCore(deps: Serving): ServingCore {
  const { guarded, states } = withCircuits(deps);
  // What is loaded beside the champion has circuits of its own: that it cannot be read keeps nothing of the champion from being read.
  const beside = (): Serving => ({ ...deps, ...withCircuits(deps).guarded });
  const serving = champions({ ...deps, ...guarded }, servedBy, { rollback: beside(), candidate: beside() });
  const arms = armCalls(deps.arms);

  const byChampion = async (
    route: ModelRoute,
    work: (champion: Champion) => Promise<EndpointResponse> | EndpointResponse,
    without: (why: Refusal, fault: unknown) => EndpointResponse = refused,
  ): Promise<EndpointResponse> => {
    const { model, version } = route;
    if (model !== deps.model) return refusedBy('endpoint-model', `there is no ${model}`, `ask for ${deps.model}`);
    const champion = await serving.take();
    if (champion.kind === 'refused') return without(champion.refusal, champion.fault);
    try {
      const served = champion.pointer.version;
      if (version !== undefined && version !== served)
        return refusedBy('version-served', `${version} is not served, ${served} is`);
      return await work(champion);
    } finally {
      await champion.lease.end();
    }
  };

  /** Ready is who can answer a request of the day that requests are expected of, as long as aggregates arrive. */
  const ready = async (says: (isReady: boolean) => object): Promise<EndpointResponse> => {
    const champion = await serving.take();
    if (champion.kind === 'refused') return notReady(says, champion.refusal, champion.fault);
    try {
      const release = champion.lease.value;
      const today = dayOf(deps.clock.now());
      const stopped = release.whyStopped(today);
      if (stopped !== undefined) return notReady(says, stopped, undefined);
      const features = await release.featuresOf(release.servedDays(today).at(-1) ?? today);
      if (features.kind === 'refused') return notReady(says, features.refusal, features.fault);
      await features.lease.end();
      return answered(says(true));
    } finally {
      await champion.lease.end();
    }
  };

  const infer = async (route: ModelRoute, request: EndpointRequest, seen: Seen): Promise<EndpointResponse> => {
    const body = request.body ?? new Uint8Array();
    const read = readRequest(body, request.headers);
    if (read.kind === 'refused') return refused(read.refusal);
    return byChampion(route, async (champion) => {
      if (isGolden(read.request)) {
        seen.isPrediction = false;
        const golden = await answerGolden(champion, read.request);
        return golden.kind === 'refused' ? refused(golden.refusal) : answered(golden.response);
      }
      const prediction = { request: read.request, body, isPinned: route.version !== undefined };
      return await predict(deps, arms, champion, prediction, seen);
    });
  };

  const dispatch = async (request: EndpointRequest, seen: Seen): Promise<EndpointResponse> => {
    const route = routeOf(request.path);
    if (route === undefined) return refusedBy('endpoint-path', `there is no ${request.path.slice(0, 200)}`);
    const method = route.kind === 'infer' ? 'POST' : 'GET';
    if (request.method !== method) {
      const { headers, ...rest } = refusedBy(
        'endpoint-method',
        `${request.method} of ${request.path}`,
        `use ${method}`,
      );
      return { ...rest, headers: { ...headers, allow: method } };
    }
    switch (route.kind) {
      case 'live':
        return answered({ live: true });
      case 'ready':
        return ready((isReady) => ({ ready: isReady, circuits: states() }));
      case 'server':
        return answered(SERVER);
      case 'metadata':
        return byChampion(route, ({ pointer, lease }) =>
          answered(modelMetadata(lease.value.definition, pointer.version)),
        );
      case 'model-ready': {
        const says = (isReady: boolean): object => ({ name: route.model, ready: isReady, circuits: states() });
        return byChampion(
          route,
          () => ready(says),
          (why, fault) => notReady(says, why, fault),
        );
      }
      case 'infer':
        seen.isPrediction = true;
        return infer(route, request, seen);
    }
  };

  return {
    async handle(request) {
      const seen = arrived(request.id, arrivalOf(request, deps.clock.now()));
      const response = await unthrown(() => dispatch(request, seen));
      await logFailure(deps, seen, response);
      measure(deps, seen, response);
      return response;
    },
    close: () => serving.close(),
  };
}

/** Whatever is thrown is answered. */
async function unthrown(work: () => Promise<EndpointResponse>): Promise<EndpointResponse> {
  try {
    return await work();
  } catch (fault) {
    const rule = isDependencyFault(fault) ? 'release-read' : 'answer-computed';
    return refused(refusal(rule, messageOf(fault)), fault);
  }
}

/** The longest that a call can have been on its way: an HTTP API waits for thirty seconds. */
const LONGEST_MS = 30_000;

/** When a request arrived; what a host says of another time is of another clock. */
function arrivalOf({ receivedAt }: EndpointRequest, now: Date): Date {
  const age = receivedAt === undefined ? Number.NaN : now.getTime() - receivedAt.getTime();
  return receivedAt !== undefined && age >= 0 && age <= LONGEST_MS ? receivedAt : now;
}

function notReady(says: (isReady: boolean) => object, why: Refusal, fault: unknown): EndpointResponse {
  const response = refused(why, fault);
  return { ...response, body: JSON.stringify({ ...says(false), ...(JSON.parse(response.body) as object) }) };
}

/** `/v2`, `/v2/health/{live,ready}`, `/v2/models/{name}[/versions/{version}][/{ready,infer}]`. */
function routeOf(path: string): Route | undefined {
  const [, model, version, act] =
    /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|infer))?$/.exec(path) ?? [];
  if (model !== undefined) {
    const kind = act === 'infer' ? 'infer' : act === 'ready' ? 'model-ready' : 'metadata';
    return { kind, model, ...(version === undefined ? {} : { version }) };
  }
  if (path === '/v2') return { kind: 'server' };
  if (path === '/v2/health/live') return { kind: 'live' };
  return path === '/v2/health/ready' ? { kind: 'ready' } : undefined;
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
