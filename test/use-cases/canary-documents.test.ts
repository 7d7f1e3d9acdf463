// What was measured of another canary says nothing of this one, whoever names it.
import { expect, it } from 'vitest';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { ShadowReplay } from '#domain/canary/shadow-batches.ts';
import { writeDocument } from '#ports/documents.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { canaryScene, minutesOf, NO_DIFFERENCE } from './_canary.ts';
import { hours, MODEL } from './_environments.ts';

/** Why the canary's machine failed. */
async function failure({ prod }: Awaited<ReturnType<typeof canaryScene>>): Promise<unknown> {
  return (await prod.chain()).findLast(({ code }) => code === 'RUN_FAILED')?.details['error'];
}

const better = { version: '1.1.0', requestSeq: 2 };

it.each([
  ['another model', { model: 'other' }],
  ['another time', { from: '2026-01-01T00:00:00.000Z' }],
])('minutes of %s neither finish a canary nor abort it', async (_, other) => {
  const here = await canaryScene();
  const made = await here.candidate('better', better);
  const { canary } = await here.traverse(made, {
    tasks: {
      'Measure canary': async (input) => {
        here.clock.at += hours(1.5);
        const { from } = input as { readonly from: string };
        const until = here.clock.now();
        const minutes = minutesOf(new Date(from), until, { requests: 400, candidate: 0.2 });
        const measured = {
          formatVersion: 1,
          model: MODEL,
          from,
          until: until.toISOString(),
          minutes,
          ...other,
        } as const;
        return { minutes: await writeDocument(here.prod.documents, CanaryMinutes, measured) };
      },
    },
  });
  expect(canary?.path).toContain('Record failure');
  expect(await failure(here)).toMatch(/^minutes of .*, not of toy since/);
  expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
});

it.each(['model', 'candidate', 'champion'] as const)(
  'pairs of another %s neither begin a canary nor quarantine its candidate',
  async (named) => {
    const here = await canaryScene();
    const made = await here.candidate('better', better);
    const { canary } = await here.traverse(made, {
      tasks: {
        'Replay shadow': async () => {
          const at = here.clock.now().toISOString();
          const own = { model: MODEL, candidate: made.release, champion: here.champion.release };
          // The champion's digest is no candidate, and the candidate's is no champion.
          const others = { model: 'other', candidate: own.champion, champion: own.candidate };
          const batches = [{ ...NO_DIFFERENCE, candidateErrors: 60 }];
          const replay = { formatVersion: 1, ...own, [named]: others[named], from: at, until: at, batches } as const;
          return { status: 'replayed', pairs: await writeDocument(here.prod.documents, ShadowReplay, replay as never) };
        },
      },
    });
    expect(canary?.path).toContain('Record failure');
    expect(await failure(here)).toMatch(/^pairs of .*, not of toy/);
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
  },
);
