import type { Digest } from '../canonical/digest.ts';
import type { LoggedRequest } from './request-log.ts';

/** Characters of raw events that are held at once, whatever number of requests is asked for. */
const MOST_CHARACTERS = 256 * 1024 * 1024;

interface Asked {
  readonly release: Digest;
  readonly from: Date;
  readonly until: Date;
  readonly most: number;
}

/** Collects the newest requests of a release from parts of the log, of which each is older than those before it; a request counts once. */
export function newestRequests({ release, from, until, most }: Asked, mostCharacters = MOST_CHARACTERS) {
  const seen = new Set<string>();
  const raw = new Map<string, string>();
  const kept: LoggedRequest[] = [];
  let [notKept, characters] = [0, 0];
  const isFull = (): boolean => kept.length >= most || characters >= mostCharacters;
  return {
    isFull,
    add(part: { readonly requests: readonly LoggedRequest[]; readonly raw: ReadonlyMap<string, string> }): void {
      const own = part.requests.filter(({ release: by, startedAt }) => {
        const began = Date.parse(startedAt);
        return by === release && began >= from.getTime() && began < until.getTime();
      });
      for (const request of own.toSorted(
        (a, b) => compare(b.startedAt, a.startedAt) || compare(b.request, a.request),
      )) {
        const name = JSON.stringify([request.startedAt, request.request]);
        if (isFull() || seen.has(name)) continue;
        seen.add(name);
        const digests = [request.context, ...request.events.map(({ digest }) => digest)];
        if (!digests.every((digest) => raw.has(digest) || part.raw.has(digest))) {
          notKept += 1;
          continue;
        }
        kept.push(request);
        for (const digest of digests) {
          if (raw.has(digest)) continue;
          const text = part.raw.get(digest) ?? '';
          raw.set(digest, text);
          characters += text.length;
        }
      }
    },
    found: () => ({
      requests: kept.toSorted((a, b) => compare(a.startedAt, b.startedAt) || compare(a.request, b.request)),
      raw,
      notKept,
    }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
