import { z } from 'zod';
import { Probe } from '#domain/alarm/probe.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { Day } from '#domain/model/definition.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { answeredDays } from '#read-model/aggregates.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { messageOf } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';

const Target = z.object({ release: Digest, from: Digest, epoch: z.int(), at: z.iso.datetime() });

export const JudgeProbes = contract({
  input: z.object({ target: Target, probe: Probe, again: Probe }),
  output: z.object({
    /** `pending` while it may still come; `none` where the model answers no requests. */
    status: z.enum(['answers', 'pending', 'partial', 'unable', 'none']),
    found: z.string(),
    /** Since when no answer may be of an older epoch, and the days of events that are answered. */
    since: z.iso.datetime(),
    days: z.array(Day),
  }),
});

/** Minutes after the switch within which an endpoint has to answer by the release that it went back to. */
const MINUTES = 5;

/** The most seconds that a model may let an endpoint go without reading the pointer again. */
const OLDEST_POINTER_SECONDS = 300;

/** Judges two probes, one after the other: both are answered by the release and in the epoch that the rollback has brought. */
export function judgeProbes(deps: {
  readonly ledger: ReadableLedger;
  readonly documents: ReadableStore;
  readonly releases: ReadableStore;
  readonly clock: Clock;
}): Task {
  return JudgeProbes.task(async ({ target, probe, again }) => {
    // What cannot be read is said, and ends no verification.
    const [from, to] = await Promise.all(
      [target.from, target.release].map((release) => definitionOf(deps.releases, release).catch(() => undefined)),
    );
    const age = from === undefined ? OLDEST_POINTER_SECONDS : (from.definition.online?.pointerMaxAgeSeconds ?? 0);
    const since = new Date(Date.parse(target.at) + 1000 * age).toISOString();
    if (again.status === 'none') return { status: 'none', found: 'the model answers no requests', since, days: [] };
    const definition = (to ?? from)?.definition;
    if (definition === undefined) return { status: 'unable', found: 'neither release can be read', since, days: [] };
    const days = await answeredDays(deps, definition, deps.clock.now()).then(
      (answered) => [...answered],
      (error: unknown) => messageOf(error).slice(0, 300),
    );
    if (typeof days === 'string')
      return { status: 'unable', found: `the list of daily aggregates cannot be read: ${days}`, since, days: [] };
    const found = [probe, again].flatMap((each) => whyNotNew(each, target) ?? []).join('; ');
    if (found === '') return { status: 'answers', found: 'two probes were answered by the release', since, days };
    const isOver = deps.clock.now().getTime() >= Date.parse(target.at) + MINUTES * 60_000;
    const end = again.status === 'unavailable' ? 'unable' : 'partial';
    return { status: isOver ? end : 'pending', found, since, days };
  });
}

function whyNotNew(probe: Probe, target: z.infer<typeof Target>): string | undefined {
  if (probe.status === 'none') return undefined;
  if (probe.status !== 'answered') return `${probe.status}: ${probe.found}`;
  // Another change of the champion since is no fault of this rollback.
  if (probe.epoch > target.epoch) return undefined;
  if (probe.epoch === target.epoch && probe.release === target.release) return undefined;
  return `${probe.release} of epoch ${probe.epoch} answers`;
}
