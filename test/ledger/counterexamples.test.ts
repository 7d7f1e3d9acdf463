import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BEGINNINGS } from './_beginnings.ts';
import { MUTANTS } from './_mutants.ts';
import { run, type Scenario, shrink } from './_run.ts';

const FOLDER = join(import.meta.dirname, 'counterexamples');
const Kept = z.object({
  from: z.enum(Object.keys(BEGINNINGS) as [Scenario['from'], ...Scenario['from'][]]),
  commands: z.array(z.custom<Scenario['commands'][number]>((value) => typeof value === 'object')).min(1),
});

describe('what once broke the ledger', () => {
  it.each(readdirSync(FOLDER).filter((name) => name.endsWith('.json')))('%s does not any more', async (name) => {
    const scenario = Kept.parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8')));
    expect(await run(scenario, true)).toBeUndefined();
  });

  it('is shrunk to the few commands that break it', async () => {
    const mutant = MUTANTS.find(({ name }) => name === 'a rollback quarantines nothing');
    const noise = { do: 'let time pass', in: 'control', pick: 0, how: 0 } as const;
    const back = { do: 'roll back', in: 'prod', pick: 3, how: 9 } as const;
    const commands = [noise, noise, back, noise];
    expect(await run({ from: 'releases', commands }, true, mutant)).toBeDefined();
    const short = await shrink({ from: 'releases', commands }, mutant);
    expect(short.commands.map((command) => command.do)).toEqual(['roll back']);
  });
});
