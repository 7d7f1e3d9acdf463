import type { Environment } from '#domain/environment/environment.ts';
import type { Config } from '#model/config.ts';
import type { z } from 'zod';
import type { Cloud } from './cloud.ts';
import type { Report } from './report.ts';
import type { Terminal } from './terminal.ts';

/** What every command is given: the configuration, the clouds, and the person in front of it. */
export interface Context {
  readonly config: Config;
  /** What the command was typed in. */
  readonly terminal: Terminal;
  /** The folder of the local cloud and of the session: `GATEHOUSE_HOME`, else `.gatehouse`. */
  readonly home: string;
  /** The folders with models: `models`, unless `--models` names others. */
  readonly modelFolders: readonly string[];
  /** The folder of the organisation's policy: `governance`, unless `--governance` names another. */
  readonly governance: string;
  readonly profile: string | undefined;
  readonly wait: boolean;
  /** Whether `--env` was given. */
  readonly isEnvironmentNamed: boolean;
  readonly now: () => Date;
  cloud(environment: Environment): Cloud;
  /** The environment of `--env`, or a usage error that names those that the command can work on. */
  environment(allowed: readonly Environment[], fallback?: Environment): Environment;
  /** Prints a result on standard output, as `-o` asks. */
  print(report: Report): void;
  /** Prints a remark on standard error. */
  note(text: string): void;
  /** Shows how something goes on while it is awaited: redrawn as a picture in a terminal, else as lines of remarks. */
  showing<T>(title: string, work: (draw: Draw) => Promise<T>): Promise<T>;
  /** Asks for consent; `--yes` gives it, and without a terminal it is a usage error. */
  confirm(question: string): Promise<void>;
  ask(question: string, secret?: boolean): Promise<string>;
  /** Arguments and options by their names, checked. */
  input<T>(schema: z.ZodType<T>): T;
}

/** What is seen now: all of it, and of that what is new since the last time. */
export type Draw = (picture: readonly string[], news: readonly string[]) => void;

export type Run = (context: Context) => Promise<void>;
