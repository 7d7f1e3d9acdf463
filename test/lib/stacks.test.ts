import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { expect, it } from 'vitest';
import { z } from 'zod';
import {
  ENDPOINT_DISK_MB,
  ENDPOINT_ENGINE_MEMORY,
  ENDPOINT_FUNCTION_MB,
  ENGINE_FUNCTION_MB,
  ENGINE_MEMORY,
  ENGINE_SPILL,
  FEATURES_DISK_MB,
} from '#domain/data/engine-limits.ts';

import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { alarms } from './_alarms.ts';
import { concurrency } from './_concurrency.ts';
import { dashboards } from './_dashboards.ts';
import { deployments } from './_deployments.ts';
import { keeping } from './_keeping.ts';
import { normalised } from './_normalise.ts';
import { peoplesPolicies } from './_people.ts';
import { rights } from './_rights.ts';
import { sharing } from './_sharing.ts';
import { supervision } from './_supervision.ts';
import { synthesised } from './_synth.ts';

// One file, because the synthesis that they share takes seconds.
rights();
sharing();
keeping();
alarms();
concurrency();
deployments();
peoplesPolicies();
supervision();
dashboards();

it('is deployed account by account, as its snapshots say', async () => {
  for (const { environment, name, account, template } of await synthesised()) {
    expect(account).toBe(namesOf(config, ENVIRONMENTS.find((each) => each === environment) ?? 'dev').account);
    // The command line reads the outputs of this one stack, by its name.
    if (environment === 'control' && !name.includes('Operations'))
      expect(name).toContain(namesOf(config, 'control').name('Control'));
    const file = `snapshots/${/\/(\w+)/.exec(name)?.[1]?.toLowerCase() ?? name}.${environment}.snap`;
    await expect(`${JSON.stringify(normalised(template), null, 1)}\n`).toMatchFileSnapshot(file);
  }
});

it('gives the engine less memory and disk than its functions have, so that it refuses before Lambda ends the process', async () => {
  const Function = z.object({
    FunctionName: z.string(),
    MemorySize: z.number(),
    EphemeralStorage: z.object({ Size: z.number() }),
  });
  const megabytes = (text: string): number => Number(/^(\d+)MiB$/.exec(text)?.[1]);
  const found = (await synthesised()).flatMap(({ template }) =>
    Object.values(template.Resources)
      .filter(({ Type }) => Type === 'AWS::Lambda::Function')
      .flatMap(({ Properties }) => Function.safeParse(Properties).data ?? []),
  );
  const isEndpoint = ({ FunctionName }: { FunctionName: string }) => /-(endpoint|arm)-/.test(FunctionName);
  const batch = found.filter((each) => !isEndpoint(each));
  // Arms are compared: their functions have what the endpoint's has.
  const serving = found.filter(isEndpoint);
  expect(serving.map(({ FunctionName }) => FunctionName.replace(/^gatehouse-/, '')).toSorted()).toEqual(
    ['prod', 'staging'].flatMap((of) =>
      ['arm-candidate', 'arm-control', 'endpoint'].map((name) => `${of}-${name}-flight-delay`),
    ),
  );
  for (const { MemorySize, EphemeralStorage } of serving)
    expect([MemorySize, EphemeralStorage.Size]).toEqual([ENDPOINT_FUNCTION_MB, ENDPOINT_DISK_MB]);
  // Up to seven engines stand in an endpoint's function.
  expect(7 * megabytes(ENDPOINT_ENGINE_MEMORY)).toBeLessThanOrEqual(ENDPOINT_FUNCTION_MB * 0.7);
  expect(batch.map(({ FunctionName }) => FunctionName).toSorted()).toEqual(
    ['dev', 'prod', 'staging'].flatMap((of) =>
      ['admission', 'features', 'score'].map((name) => `gatehouse-${of}-${name}`),
    ),
  );
  for (const { FunctionName, MemorySize, EphemeralStorage } of batch) {
    expect(MemorySize).toBe(ENGINE_FUNCTION_MB);
    expect(megabytes(ENGINE_MEMORY)).toBeLessThanOrEqual(MemorySize * 0.7);
    if (FunctionName.endsWith('score')) continue;
    expect(EphemeralStorage.Size).toBe(FEATURES_DISK_MB);
    expect(megabytes(ENGINE_SPILL)).toBeLessThan(EphemeralStorage.Size / 2);
  }
});
