// What sequences begin from, made by the same commands: a history that every sequence would have to make first.
import { requestPromotion } from '#use-cases/control/request-promotion.ts';
import type { Command } from './_commands.ts';
import { endOf, settle } from './_ending.ts';
import { BASELINE, MODEL, TRAINED } from './_fixtures.ts';
import { perform } from './_interpret.ts';
import { world, type World } from './_environments.ts';

const plain = { pick: 0, how: 2 } as const;
const done = async (own: World, ...commands: readonly Command[]): Promise<void> => {
  for (const command of commands) await perform(own, command);
};

/** The baseline is registered in dev and served in staging and prod. */
async function baseline(): Promise<World> {
  const own = world();
  await done(own, { do: 'register', in: 'dev', ...plain });
  await settle(own);
  for (let pick = 0; pick < 4; pick += 1) await done(own, { do: 'register', in: 'dev', how: 0, pick });
  return own;
}

/** Two releases were promoted to prod by people; a third is in staging, and a fourth on its way. */
async function releases(): Promise<World> {
  const own = await baseline();
  const offer = async (pick: number): Promise<void> => {
    await done(own, { do: 'offer', in: 'dev', how: 0, pick });
    await settle(own);
  };
  for (const pick of [0, 1]) {
    await offer(pick);
    await done(
      own,
      { do: 'ask', in: 'control', pick: 0, how: 2 },
      { do: 'carry', in: 'prod', ...plain },
      { do: 'step', in: 'prod', pick: 0, how: 15 },
      { do: 'carry', in: 'control', ...plain },
      { do: 'decide', in: 'control', pick: 0, how: 0 },
      { do: 'decide', in: 'control', pick: 0, how: 1 },
    );
    await settle(own);
  }
  await offer(2);
  await done(own, { do: 'offer', in: 'dev', how: 0, pick: 3 }, { do: 'carry', in: 'staging', ...plain });
  const { pointer } = own.environments.prod.reference;
  if (pointer?.seq !== 3) throw new Error(`prod is at ${pointer?.seq ?? 0}, not at its third release`);
  return own;
}

/** Prod serves a hotfix that staging has never seen, and a release that staging promoted waits behind its pending propagation. */
async function hotfix(): Promise<World> {
  const own = await releases();
  await done(own, { do: 'register', in: 'dev', how: 0, pick: 4 });
  await settle(own);
  await requestPromotion(own.environments.control.deps, 'eng', {
    model: MODEL,
    release: TRAINED[4] ?? BASELINE,
    version: '0.1.5',
    environment: 'prod',
    requestId: 'request-hotfix',
    hotfix: { reason: 'prod is wrong' },
  });
  await done(
    own,
    { do: 'carry', in: 'prod', ...plain },
    { do: 'step', in: 'prod', pick: 0, how: 15 },
    { do: 'carry', in: 'control', ...plain },
    { do: 'decide', in: 'control', pick: 0, how: 9 },
  );
  await settle(own);
  if (own.environments.prod.reference.pointer?.pendingPropagation?.release !== TRAINED[4])
    throw new Error('prod owes nothing');
  return own;
}

async function sound(own: World): Promise<World> {
  const found = await endOf(world(own), true);
  if (found.length > 0) throw new Error(`a beginning is not sound: ${found.join('; ')}`);
  return own;
}

export const BEGINNINGS = {
  nothing: undefined,
  baseline: await sound(await baseline()),
  releases: await sound(await releases()),
  hotfix: await sound(await hotfix()),
};
export type Beginning = keyof typeof BEGINNINGS;
