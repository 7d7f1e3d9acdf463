import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Context } from '#cli/context.ts';
import type { CanaryContext, canaryScene } from '../use-cases/_canary.ts';
import { keys } from '#domain/ledger/keys.ts';
import { MODEL } from '../use-cases/_environments.ts';
import { fill, testContext } from './_context.ts';

/** A command line that sees prod as a canary's test has made it, and its clock. */
export async function seeing(here: Awaited<ReturnType<typeof canaryScene>>, given: Readonly<Record<string, unknown>>) {
  const models = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
  await mkdir(join(models, MODEL));
  await writeFile(join(models, MODEL, 'model.ts'), '');
  const test = testContext(given, { models: [models] });
  test.adopt('prod', here.prod);
  const context: Context = { ...test.context, now: () => here.clock.now() };
  return {
    ...test,
    context,
    /** Has dev know a release by its version. */
    known: (release: string, version: string): Promise<void> =>
      fill(test.ledgerOf('dev'), [{ ...keys.version(MODEL, version), release }]),
  };
}

/** A canary of a candidate by some rule, at a moment of its own. */
export async function during(
  here: Awaited<ReturnType<typeof canaryScene>>,
  made: Awaited<ReturnType<typeof here.candidate>>,
  at: (state: string, times: number) => boolean,
  look: () => Promise<void>,
  around: CanaryContext = {},
): Promise<void> {
  const times = new Map<string, number>();
  let looks = 0;
  await here.traverse(made, {
    ...around,
    before: async (state) => {
      times.set(state, (times.get(state) ?? 0) + 1);
      if (!at(state, times.get(state) ?? 0)) return;
      looks += 1;
      await look();
    },
  });
  expect(looks).toBe(1);
}
