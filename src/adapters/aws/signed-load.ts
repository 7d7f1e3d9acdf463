import autocannon from 'autocannon';
import type { LoadGenerator } from '#ports/load-generator.ts';
import { type Caller, signedHeaders } from './signed-call.ts';

/** A signature is valid for minutes; it is made anew long before that. */
const SIGN_EVERY_MS = 30_000;
/** An HTTP API answers after thirty seconds, whatever the function does. */
const TIMEOUT_SECONDS = 35;
/** Seconds of the same load before anything is measured: what starts for the first time is slow, and no more so by this release. */
export const WARM_UP_SECONDS = 3;
/** How many kinds of failures are told. */
const TOLD = 5;

/** Load on endpoints behind HTTP APIs, by signed requests. @param urls where each model's endpoint is */
export function signedLoad(caller: Caller, urls: Readonly<Record<string, string>>): LoadGenerator {
  return {
    name: 'autocannon 9.0.0',
    async run({ model, path, body: document, seconds, connections }, whyWrong) {
      const url = new URL(path, urls[model]);
      const body = JSON.stringify(document);
      const sign = (): Promise<Record<string, string>> =>
        signedHeaders(caller, url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      let headers = await sign();
      let statuses: Record<string, number> = {};
      const failures = new Map<string, number>();
      const count = (counts: Record<string, number>, name: string): void => {
        counts[name] = (counts[name] ?? 0) + 1;
      };
      const fails = (why: string): void => void failures.set(why, (failures.get(why) ?? 0) + 1);
      // What cannot be signed any more is answered by a refusal, which counts.
      const again = setInterval(() => void sign().then((signed) => (headers = signed), fails), SIGN_EVERY_MS);
      try {
        const load: autocannon.Options = {
          url: reachable(url),
          servername: url.hostname,
          connections,
          timeout: TIMEOUT_SECONDS,
          requests: [
            {
              method: 'POST',
              path: `${url.pathname}${url.search}`,
              body,
              setupRequest: (request: autocannon.Request) => ({ ...request, headers }),
              onResponse: (status: number, text: string) => {
                count(statuses, String(status));
                const why = status === 200 ? whyWrong(text) : text.slice(0, 150);
                if (why !== undefined) fails(`${status}: ${why}`.slice(0, 200));
              },
            },
          ],
        };
        await autocannon({ ...load, duration: WARM_UP_SECONDS });
        statuses = {};
        failures.clear();
        const started = performance.now();
        const result = await autocannon({ ...load, duration: seconds });
        const answers = Object.values(statuses).reduce((sum, each) => sum + each, 0);
        if (result.errors > 0) statuses['none'] = result.errors;
        const wrong = [...failures.values()].reduce((sum, each) => sum + each, 0);
        const { p50, p90, p99, max } = result.latency;
        return {
          requests: answers + result.errors,
          failed: wrong + result.errors,
          seconds: (performance.now() - started) / 1000,
          latencyMs: (statuses['200'] ?? 0) === 0 ? null : { p50, p90, p99, max },
          statuses,
          failures: [...failures]
            .toSorted(([, a], [, b]) => b - a)
            .map(([why, times]) => `${times} x ${why}`.slice(0, 200))
            .slice(0, TOLD),
        };
      } finally {
        clearInterval(again);
      }
    },
  };
}

/** Names under `.localhost` are this machine's, which not every resolver knows; the Host header says whom a call means. */
function reachable(url: URL): string {
  if (!url.hostname.endsWith('.localhost')) return url.origin;
  return `${url.protocol}//127.0.0.1${url.port === '' ? '' : `:${url.port}`}`;
}
