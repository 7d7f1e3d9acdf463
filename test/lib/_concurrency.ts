import { ENVIRONMENTS, type Environment, MACHINES } from '#domain/environment/environment.ts';
import { expect, it } from 'vitest';
import { z } from 'zod';

import { machine } from '#local/statemachines/machines.ts';
import { endpointConcurrency } from '#model/config.ts';
import config from '../../gatehouse.config.ts';
import { resourcesOf, synthesised } from './_synth.ts';

/** What a new account has: executions of all its functions together. It cannot reserve any of them for a function. */
const NEW_ACCOUNT = 10;

const Mapping = z.object({
  EventSourceArn: z.unknown(),
  ScalingConfig: z.object({ MaximumConcurrency: z.int() }).optional(),
  ParallelizationFactor: z.int().default(1),
});

/** How many functions a machine has at work at once: as many as its widest Map, and one where it has none. */
function widthOf(name: string): number {
  const widths = Object.values(machine(name).States).flatMap((state) =>
    state.Type === 'Map' ? [state.MaxConcurrency] : [],
  );
  return Math.max(1, ...widths);
}

/** How many functions of an environment are at work at once. */
async function needs(environment: Environment): Promise<{ readonly events: number; readonly machines: number[] }> {
  const stacks = (await synthesised()).filter((stack) => stack.environment === environment);
  const mappings = resourcesOf(stacks, 'AWS::Lambda::EventSourceMapping').map(({ properties }) =>
    Mapping.parse(properties),
  );
  const events = mappings.map(({ EventSourceArn, ScalingConfig, ParallelizationFactor }) => {
    if (JSON.stringify(EventSourceArn).includes('StreamArn')) return ParallelizationFactor;
    // A queue without a bound takes all there is.
    return ScalingConfig?.MaximumConcurrency ?? Infinity;
  });
  const sum = events.reduce((total, each) => total + each, 0);
  return { events: sum, machines: (MACHINES[environment] ?? []).map(widthOf) };
}

/** How much of an account's concurrency is needed. */
export function concurrency(): void {
  it('leaves room in a new account for what events bring, whichever machine is at work', async () => {
    const found: Record<string, number> = {};
    for (const environment of ENVIRONMENTS) {
      const { events, machines } = await needs(environment);
      found[environment] = events + Math.max(1, ...machines);
    }
    // The README says so: what events bring, and the widest machine (in control, the API).
    expect(found).toEqual({ dev: 8, staging: 9, prod: 9, control: 4 });
    expect(Math.max(...Object.values(found))).toBeLessThan(NEW_ACCOUNT);
  });

  it('has endpoints reserve equal shares of what is above a hundred, where the quota of the account is told', () => {
    const of = (concurrency: number | undefined, endpoints: number, isShared = false) => {
      const { staging, prod } = config.environments;
      const account = isShared ? staging.account : prod.account;
      const environments = { ...config.environments, prod: { ...prod, account, concurrency } };
      return endpointConcurrency({ ...config, environments }, 'prod', endpoints);
    };
    expect(of(undefined, 1)).toBeUndefined();
    expect(of(10, 1)).toBeUndefined();
    expect(of(100, 1)).toBeUndefined();
    expect(of(1000, 0)).toBeUndefined();
    expect(of(1000, 1)).toBe(900);
    expect(of(1000, 7)).toBe(128);
    // Staging has as many, in the same account.
    expect(of(1000, 1, true)).toBe(450);
  });

  it('reserves nothing, which a new account refuses', async () => {
    for (const { properties } of resourcesOf(await synthesised(), 'AWS::Lambda::Function'))
      expect(properties['ReservedConcurrentExecutions'], String(properties['FunctionName'])).toBeUndefined();
  });
}
