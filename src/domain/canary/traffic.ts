import { type CanaryMinute, NOTHING, plus } from './counts.ts';

/** What a canary can be planned by: the requests that there are, and how many of them the champion fails. */
export interface Traffic {
  readonly requestsPerSecond: number;
  /** A share of the champion's requests, those of its control arm included; 0 without any. */
  readonly errorRate: number;
}

/** The traffic of a window, of the minutes that lie in it; a minute that is not there had no requests. */
export function trafficOf(
  minutes: readonly CanaryMinute[],
  { from, until }: { readonly from: Date; readonly until: Date },
): Traffic {
  const within = minutes.filter(({ minute }) => {
    const began = Date.parse(minute);
    return began >= from.getTime() && began < until.getTime();
  });
  let [requests, champion] = [0, NOTHING];
  for (const each of within) {
    champion = plus(champion, plus(each.champion ?? NOTHING, each.control ?? NOTHING));
    requests += (each.candidate ?? NOTHING).requests;
  }
  const seconds = (until.getTime() - from.getTime()) / 1000;
  return {
    requestsPerSecond: seconds > 0 ? (requests + champion.requests) / seconds : 0,
    errorRate: champion.requests === 0 ? 0 : champion.errors / champion.requests,
  };
}
