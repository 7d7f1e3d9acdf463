// Nothing heavy may be imported here: `--help` answers from the catalogue alone, and each command loads what it needs.
import { Command, CommanderError, Option } from 'commander';
import { CATALOGUE } from './catalogue/index.ts';
import type { CommandSpec, GlobalOptions } from './catalogue/spec.ts';
import type { Terminal } from './terminal.ts';

const USAGE = 2;

type Execute = (spec: CommandSpec, given: Readonly<Record<string, unknown>>, global: GlobalOptions) => Promise<void>;

/** Runs what was typed in a terminal after the program's name, and answers the exit code. */
export async function main(typed: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const program = programThat(async (spec, given, global) => {
    const { execute } = await import('./execute.ts');
    code = await execute(spec, given, global, terminal);
  }, terminal);
  try {
    await program.parseAsync(typed, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : USAGE;
  }
}

function programThat(execute: Execute, terminal: Terminal): Command {
  const program = new Command('gatehouse')
    .description('A governed release pipeline for machine-learning models on AWS')
    .version('0.1.0')
    .addOption(
      new Option('-o, --output <format>', 'how results are printed')
        .choices(['table', 'json', 'yaml'])
        .default('table'),
    )
    .option('--env <environment>', 'dev, staging, prod or control')
    .option('--profile <name>', 'AWS profile, instead of the one in gatehouse.config.ts')
    .addOption(
      new Option('--models <folder>', 'a folder that holds models; may be given again (default: models)').argParser(
        (folder: string, before: readonly string[] | undefined) => [...(before ?? []), folder],
      ),
    )
    .option('--governance <folder>', 'a folder with another policy floor, as for a trial (default: governance)')
    .option('--no-wait', 'return as soon as the work has been started')
    .option('--yes', 'do not ask for consent')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused by a rule, 2 usage, 3 fault.\nREL is model@1.2.3 or sha256:<digest>.',
    )
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    // Commands take these from the program when they are added.
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .exitOverride();

  const nouns = new Map<string, Command>();
  const nounOf = (noun: string, spec: CommandSpec): Command => {
    const known = nouns.get(noun);
    if (known !== undefined) return known;
    const command = program
      .command(noun)
      .description(spec.nounSummary ?? '')
      .helpGroup(spec.group);
    nouns.set(noun, command);
    return command;
  };
  for (const spec of CATALOGUE) {
    const [noun, verb] = spec.name.split(' ');
    if (noun === undefined) continue;
    const command =
      verb === undefined ? added(program, noun, spec).helpGroup(spec.group) : added(nounOf(noun, spec), verb, spec);
    command.action(async () => {
      const given: Record<string, unknown> = { ...command.opts() };
      for (const [index, argument] of command.registeredArguments.entries())
        given[argument.name()] = command.processedArgs[index];
      await execute(spec, given, program.opts<GlobalOptions>());
    });
  }
  return program;
}

function added(parent: Command, name: string, spec: CommandSpec): Command {
  const command = parent.command(`${name}${spec.args === undefined ? '' : ` ${spec.args}`}`).description(spec.summary);
  for (const [flags, description, fallback] of spec.options ?? []) command.option(flags, description, fallback);
  for (const [flags, description] of spec.required ?? []) command.requiredOption(flags, description);
  return command.addHelpText(
    'after',
    `\nExamples:\n${spec.examples.map((example) => `  $ gatehouse ${example}`).join('\n')}`,
  );
}
