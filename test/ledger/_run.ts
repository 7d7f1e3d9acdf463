import { type Beginning, BEGINNINGS } from './_beginnings.ts';
import { type Command, sequence } from './_commands.ts';
import { endOf } from './_ending.ts';
import { perform } from './_interpret.ts';
import { type Mutant, world } from './_environments.ts';

/** How many commands a sequence has, before its end. */
export const LENGTH = 60;

/** A sequence, and what it begins from. */
export interface Scenario {
  readonly from: Beginning;
  readonly commands: readonly Command[];
}

/** A scenario that broke something, and what. */
export interface Failure {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly violations: readonly string[];
}

/** The scenario of a seed. */
export function scenarioOf(seed: number): Scenario {
  const beginnings = ['nothing', 'baseline', 'releases', 'hotfix', 'releases', 'releases'] as const;
  return { from: beginnings[seed % beginnings.length] ?? 'nothing', commands: sequence(seed, LENGTH) };
}

/** Does the commands of a scenario, one after the other; what is broken, as soon as something is. */
export async function run({ from, commands }: Scenario, isThorough: boolean, mutant?: Mutant) {
  const own = world(BEGINNINGS[from], mutant);
  try {
    for (const [index, command] of commands.entries()) {
      await perform(own, command);
      if (own.violations.length > 0) return { after: index, violations: own.violations };
    }
    const violations = await endOf(own, isThorough);
    return violations.length === 0 ? undefined : { after: commands.length, violations };
  } catch (error) {
    return {
      after: commands.length,
      violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    };
  }
}

/** Leaves out and simplifies commands as long as the scenario still breaks something. */
export async function shrink(scenario: Scenario, mutant?: Mutant): Promise<Scenario> {
  const fails = async (commands: readonly Command[]): Promise<boolean> =>
    (await run({ ...scenario, commands }, true, mutant)) !== undefined;
  let { commands } = scenario;
  for (let size = commands.length >> 1; size > 0; size = size === 1 ? 0 : (size + 1) >> 1) {
    for (let from = 0; from < commands.length;) {
      const fewer = [...commands.slice(0, from), ...commands.slice(from + size)];
      if (await fails(fewer)) commands = fewer;
      else from += size;
    }
  }
  for (let index = 0; index < commands.length; index += 1) {
    for (const simpler of simplerThan(commands[index] as Command)) {
      const changed = commands.map((command, at) => (at === index ? simpler : command));
      if (await fails(changed)) commands = changed;
    }
  }
  return { ...scenario, commands };
}

function simplerThan(command: Command): readonly Command[] {
  const { fault: _fault, ...plain } = command;
  return [plain, { ...command, pick: 0 }, { ...command, how: 2 }];
}

/** Runs the scenarios of many seeds; the first failure is shrunk. */
export async function runSeeds(
  seeds: Iterable<number>,
  options: { readonly mutant?: Mutant; readonly isShrunk?: boolean; readonly onDone?: (seed: number) => void } = {},
): Promise<Failure | undefined> {
  for (const seed of seeds) {
    const scenario = scenarioOf(seed);
    const broken = await run(scenario, seed % 50 === 0, options.mutant);
    options.onDone?.(seed);
    if (broken === undefined) continue;
    if (options.isShrunk === false) return { seed, scenario, violations: broken.violations };
    const commands = scenario.commands.slice(0, broken.after + 1);
    const short = await shrink({ ...scenario, commands }, options.mutant);
    const again = await run(short, true, options.mutant);
    return { seed, scenario: short, violations: again?.violations ?? broken.violations };
  }
  return undefined;
}
