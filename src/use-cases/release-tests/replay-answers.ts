import { z } from 'zod';
import { Digest, digestOf } from '#domain/canonical/digest.ts';
import { rowsJson } from '#domain/data/event-json.ts';
import { testResult, TestResults } from '#domain/release-tests/test-result.ts';
import type { AnswerReplay } from '#ports/answer-replay.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { EndpointAnswers } from './endpoint-answers.ts';

/** How many logged requests are answered again at most, the newest first; and how many days of the log are looked at. */
const MOST_LOGGED = 100;
const LOGGED_DAYS = 3;

export const ReplayAnswers = contract({
  input: z.object({
    model: z.string(),
    release: Digest,
    serving: z.enum(['endpoint', 'batch']),
    answers: Digest.nullable(),
  }),
  output: z.object({ tests: TestResults }),
});

/**
 * Answers again what the endpoint has answered by a release: what it was just asked, and what its request log holds of it. A difference
 * of one bit fails, and so does comparing nothing.
 */
export function replayAnswers(deps: {
  readonly documents: ReadableStore;
  readonly releases: ReadableStore;
  readonly requests: Pick<RequestStore, 'days' | 'read'>;
  readonly replaying: AnswerReplay;
}): Task {
  return ReplayAnswers.task(async ({ model, release, serving, answers }) => {
    const name = 'replay';
    if (serving === 'batch') return { tests: [testResult(name, 'skipped', 'the model answers no requests')] };
    const days = (await deps.requests.days(model)).slice(-LOGGED_DAYS);
    const stored = await Promise.all(days.map((day) => deps.requests.read(model, day)));
    const logged = stored
      .flatMap(({ requests }) => requests)
      .filter((request) => request.release === release)
      .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
      .slice(0, MOST_LOGGED);
    const asked = answers === null ? undefined : await readDocument(deps.documents, EndpointAnswers, answers);
    const raw = new Map(stored.flatMap((each) => [...each.raw]));
    const { definition } = await definitionOf(deps.releases, release);
    const own = (asked?.answers ?? []).map(({ sent, answered }) => {
      const rows = deps.replaying.read(definition, sent);
      if (rows.kind === 'read')
        for (const text of [...rows.events.map((row) => rowsJson(row)), rowsJson(rows.context)])
          raw.set(digestOf(text), text);
      return answered;
    });
    const requests = [...own, ...logged];
    const replayed = await withFolder((folder) => deps.replaying.replay(model, { requests, raw }, folder));
    let same = 0;
    const wrong: string[] = [];
    for (const { request, outcome } of replayed)
      for (const [index, { id, probability }] of request.events.entries()) {
        if (outcome.kind === 'not-kept') {
          // Raw events of the log expire; of what was just asked the endpoint has read another event.
          if (own.includes(request)) wrong.push(`event ${id}: the endpoint has read another event`);
          continue;
        }
        const again = outcome.kind === 'computed' ? outcome.probabilities[index] : undefined;
        if (outcome.kind === 'computed' && Object.is(again, probability)) same += 1;
        else
          wrong.push(
            `event ${id}: ${outcome.kind === 'computed' ? `answered ${probability}, computed ${String(again)}` : outcome.reason}`,
          );
      }
    if (wrong.length > 0)
      return { tests: [testResult(name, 'failed', `${wrong.length} of ${same + wrong.length}: ${wrong[0] ?? ''}`)] };
    if (same === 0)
      return { tests: [testResult(name, 'failed', 'there is no answer of the release to compute again')] };
    const found = `${same} answers are computed again, bit for bit; ${logged.length} requests are of the log`;
    return { tests: [testResult(name, 'passed', found)] };
  });
}
