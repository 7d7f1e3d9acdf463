#!/usr/bin/env node
// Nothing heavy may be imported here: `--help` answers from the catalogue alone, and each command loads what it needs.
import { Command, CommanderError, Option } from 'commander';
import { CATALOGUE } from './catalogue/index.ts';
import type { CommandSpec, GlobalOptions } from './catalogue/spec.ts';

const USAGE = 2;

const program = new Command('gatehouse')
  .description('A governed release pipeline for machine-learning models on AWS')
  .version('0.1.0')
  .addOption(
    new Option('-o, --output <format>', 'how results are printed').choices(['table', 'json', 'yaml']).default('table'),
  )
  .option('--env <environment>', 'dev, staging, prod or control')
  .option('--profile <name>', 'AWS profile, instead of the one in gatehouse.config.ts')
  .addOption(
    new Option('--models <folder>', 'a folder that holds models; may be given again (default: models)').argParser(
      (folder: string, before: readonly string[] | undefined) => [...(before ?? []), folder],
    ),
  )
  .option('--no-wait', 'return as soon as the work has been started')
  .option('--yes', 'do not ask for consent')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 refused by a rule, 2 usage, 3 fault.\nREL is model@1.2.3 or sha256:<digest>.',
  )
  .showSuggestionAfterError()
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

const nouns = new Map<string, Command>();

for (const spec of CATALOGUE) {
  const [noun, verb] = spec.name.split(' ');
  if (noun === undefined) continue;
  if (verb === undefined) add(program, noun, spec);
  else add(nounCommand(noun, spec), verb, spec);
}

function nounCommand(noun: string, spec: CommandSpec): Command {
  const known = nouns.get(noun);
  if (known !== undefined) return known;
  const command = program
    .command(noun)
    .description(spec.nounSummary ?? '')
    .helpGroup(spec.group)
    .exitOverride();
  nouns.set(noun, command);
  return command;
}

function add(parent: Command, name: string, spec: CommandSpec): void {
  const command = parent
    .command(`${name}${spec.args === undefined ? '' : ` ${spec.args}`}`)
    .description(spec.summary)
    .exitOverride();
  if (parent === program) command.helpGroup(spec.group);
  for (const [flags, description, fallback] of spec.options ?? []) command.option(flags, description, fallback);
  for (const [flags, description] of spec.required ?? []) command.requiredOption(flags, description);
  command.addHelpText('after', `\nExamples:\n${spec.examples.map((example) => `  $ gatehouse ${example}`).join('\n')}`);
  command.action(async () => {
    const given: Record<string, unknown> = { ...command.opts() };
    for (const [index, argument] of command.registeredArguments.entries())
      given[argument.name()] = command.processedArgs[index];
    const { execute } = await import('./execute.ts');
    process.exitCode = await execute(spec, given, program.opts<GlobalOptions>());
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE;
}
