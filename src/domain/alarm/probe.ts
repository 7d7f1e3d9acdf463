import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { GoldenRequest, whyNotGolden } from '../release/golden-request.ts';
import { isOfDependency } from './attribution.ts';

/** What came of a golden request that was sent through the API of an endpoint. */
export const Probe = z.discriminatedUnion('status', [
  /** The model answers no requests, or nothing is promoted of it. */
  z.object({ status: z.literal('none'), at: z.iso.datetime() }),
  z.object({ status: z.literal('answered'), release: Digest, epoch: z.int(), at: z.iso.datetime() }),
  /** The release is why, or nothing else is known to be. */
  z.object({ status: z.literal('failed'), found: z.string(), at: z.iso.datetime() }),
  /** Something beside the release is why: nothing is known of it. */
  z.object({ status: z.literal('unavailable'), found: z.string(), at: z.iso.datetime() }),
]);
export type Probe = z.infer<typeof Probe>;

/** As much of an answer as a probe reads. */
const Answer = z.object({
  parameters: z.object({ digest: Digest, epoch: z.int(), golden: z.literal(true) }),
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.union([z.number(), z.string()])) })),
});

/** What an answer to the golden request says by itself. */
export type Reply =
  | {
      readonly kind: 'answer';
      readonly release: Digest;
      readonly epoch: number;
      readonly probabilities: readonly number[];
    }
  | { readonly kind: 'failed' | 'unavailable'; readonly found: string };

/** Statuses that are of the call: not allowed, throttled, or of a release that has no golden request. */
const OF_THE_CALL = new Set([401, 403, 404, 429]);

/** Reads what an endpoint, or AWS in its place, answers to the golden request. */
export function readReply({ status, text }: { readonly status: number; readonly text: string }): Reply {
  const said = jsonOf(text);
  const short = `${status}: ${text.slice(0, 300)}`;
  if (status === 200) {
    const answer = Answer.safeParse(said);
    if (!answer.success) return { kind: 'failed', found: `an answer of another shape: ${text.slice(0, 300)}` };
    const { parameters, outputs } = answer.data;
    const probabilities = outputs.find(({ name }) => name === 'probability')?.data.map(Number) ?? [];
    return { kind: 'answer', release: parameters.digest, epoch: parameters.epoch, probabilities };
  }
  const { error } = z
    .object({ error: z.string().catch('') })
    .catch({ error: '' })
    .parse(said);
  if (isOfDependency(error.slice(0, Math.max(0, error.indexOf(':'))))) return { kind: 'unavailable', found: short };
  return { kind: OF_THE_CALL.has(status) ? 'unavailable' : 'failed', found: short };
}

/** Whether an answer is what the release promised; in words where it is not. */
export function whyNotPromised(golden: GoldenRequest, probabilities: readonly number[]): string | undefined {
  if (probabilities.length !== golden.probabilities.length)
    return `${probabilities.length} probabilities, promised ${golden.probabilities.length}`;
  return whyNotGolden(golden, probabilities);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
