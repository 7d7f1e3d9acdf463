// The first request of a process, by part. Run as a program it prints the parts of what its argument says is served.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Digest } from '#domain/canonical/digest.ts';
import type { EndpointRequest } from '#serving/server.ts';
import { coreOf, type Served, servingOf } from './host.ts';

const Parts = z.array(z.strictObject({ part: z.string(), milliseconds: z.number(), rss: z.number() }));
/** What each part of a cold start took, and the process's memory in MB after it. */
export type Parts = z.infer<typeof Parts>;
export const parseParts = (text: string): Parts => Parts.parse(JSON.parse(text));

/** Serves a first request, and says what it was spent on; what runs of one part at the same time is counted once. */
export async function coldParts(served: Served, body: string): Promise<Parts> {
  const serving = await servingOf({ ...served, releases: served.releases.slice(0, 1) });
  const parts = new Map<string, Parts[number]>();
  const rss = (): number => process.memoryUsage.rss() / 1e6;
  const before: Parts[number] = { part: 'nothing yet', milliseconds: 0, rss: rss() };
  const timed = <A extends readonly unknown[], R>(part: string, work: (...given: A) => Promise<R>) => {
    let [running, began] = [0, 0];
    return async (...given: A): Promise<R> => {
      if (running === 0) began = performance.now();
      running += 1;
      try {
        return await work(...given);
      } finally {
        running -= 1;
        const earlier = parts.get(part)?.milliseconds ?? 0;
        if (running === 0) parts.set(part, { part, milliseconds: earlier + performance.now() - began, rss: rss() });
      }
    };
  };
  const { ledger, artifacts, aggregates, scoring, lake, features } = serving;
  const core = coreOf(
    {
      ...serving,
      ledger: { ...ledger, get: timed('read the pointer', ledger.get) },
      artifacts: { read: timed('read and hash files of the release', artifacts.read) },
      scoring: { open: timed('open the model', scoring.open) },
      aggregates: {
        read: timed('read the list of aggregates', (model: string, basis: Digest) => aggregates.read(model, basis)),
      },
      lake: {
        fetch: timed('fetch and hash daily aggregates', (...file: Parameters<typeof lake.fetch>) =>
          lake.fetch(...file),
        ),
      },
      features: {
        open: timed('load daily aggregates', (recipe: Parameters<typeof features.open>[0]) => features.open(recipe)),
      },
    },
    undefined,
  );
  const infer = async (part: string): Promise<void> => {
    const path = `/v2/models/${served.definition.name}/infer`;
    const handle = timed(part, (request: EndpointRequest) => core.handle(request));
    const { status, body: answer } = await handle({
      id: 'call',
      method: 'POST',
      path,
      headers: {},
      body: Buffer.from(body),
    });
    if (status !== 200) throw new Error(answer);
  };
  await infer('all of the first answer');
  await infer('second answer');
  await core.close();
  return [before, ...parts.values()];
}

if (import.meta.main) {
  const given = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as { served: Served; body: string };
  console.log(JSON.stringify(await coldParts(given.served, given.body)));
}
