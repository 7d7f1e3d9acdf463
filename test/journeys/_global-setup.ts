// Builds the clouds that journeys start from, while the other tests run: a journey waits for the one that it copies.
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { stopLocalCloud } from '#local/emulator/cloud.ts';
import { copyLocalCloud } from '#local/emulator/copy.ts';
import { isAlive } from '#local/emulator/processes.ts';
import { copiedCloud, freshCloud, type TestCloud } from '../_helpers/cloud.ts';
import { addPeople, type Journey, journeyIn } from './_harness.ts';
import { silence, stopClock } from './_hearing.ts';
import {
  arriveInStaging,
  FIRST,
  letIntoProd,
  offeredRelease,
  recorded,
  retrain,
  SECOND,
  settled,
  SLIPPED,
  tested,
} from './_lifecycle.ts';
import { CLOUDS, cloudsFolder, failureOf, STORED, type StoredCloud } from './_stored.ts';

/** What is done to the cloud before, to have each. */
const STEPS: Readonly<Record<StoredCloud, (journey: Journey) => Promise<unknown>>> = {
  async candidate(journey) {
    await journey.run(z.unknown(), ['deploy']);
    await addPeople(journey);
    await stopClock(journey);
    await journey.land({ from: FIRST.from, until: FIRST.asOf, damage: SLIPPED }, ['dev']);
    await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['staging', 'prod']);
    await arriveInStaging(journey, FIRST.asOf);
    await recorded(journey, 'prod', 'RELEASE_PROMOTED');
    await settled(journey);
    await tested(journey, await offeredRelease(journey));
  },
  async champion(journey) {
    await letIntoProd(journey, await offeredRelease(journey));
    await settled(journey);
  },
  async offered(journey) {
    await silence(journey, 'dev');
    await journey.land({ from: SLIPPED.first, until: SECOND }, ['dev']);
    await journey.land({ from: FIRST.asOf, until: SECOND }, ['staging', 'prod']);
    const { status } = await retrain(journey, SECOND);
    if (status !== 'offered') throw new Error(`the second release was ${status}`);
    await settled(journey, ['staging', 'prod', 'control']);
  },
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = cloudsFolder(new Date());
  await removeStale(folder);
  await mkdir(folder, { recursive: true });
  await rm(failureOf(folder), { force: true });
  project.provide('clouds', folder);
  let current: TestCloud | undefined;
  let isOver = false;
  const building = build(folder, (cloud) => (current = cloud)).catch((error: unknown) => {
    if (!isOver)
      return writeFile(failureOf(folder), error instanceof Error ? (error.stack ?? error.message) : String(error));
  });
  return async () => {
    // Nobody waits any more for what is not there by now.
    isOver = true;
    await current?.[Symbol.asyncDispose]();
    await building;
  };
}

/** Stores what is not stored yet; each cloud appears whole. */
async function build(folder: string, onStart: (cloud: TestCloud) => void): Promise<void> {
  let before: string | undefined;
  for (const name of STORED) {
    const stored = join(folder, name);
    if (!existsSync(stored)) {
      await using cloud = await (before === undefined ? freshCloud({ persistent: true }) : copiedCloud(before));
      onStart(cloud);
      const journey = journeyIn(cloud);
      await STEPS[name](journey);
      await stopLocalCloud(cloud.home);
      const whole = join(CLOUDS, `copy-${process.pid}-${name}`);
      await copyLocalCloud(cloud.home, whole);
      await rename(whole, stored).catch(async (error: unknown) => {
        // Another run of the tests was quicker.
        if (!existsSync(stored)) throw error;
        await rm(whole, { recursive: true });
      });
    }
    before = stored;
  }
}

/** Removes what was built from something else, and copies whose process has ended. */
async function removeStale(folder: string): Promise<void> {
  await mkdir(CLOUDS, { recursive: true });
  for (const name of await readdir(CLOUDS)) {
    const path = join(CLOUDS, name);
    const owner = /^copy-(\d+)-/.exec(name)?.[1];
    if (path !== folder && (owner === undefined || !isAlive(Number(owner))))
      await rm(path, { recursive: true, force: true });
  }
}
