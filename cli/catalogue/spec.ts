import type { Run } from '../context.ts';

/** What the whole command line understands. */
export interface GlobalOptions {
  readonly output: 'table' | 'json' | 'yaml';
  readonly env?: string;
  readonly profile?: string;
  readonly models?: readonly string[];
  readonly governance?: string;
  readonly wait: boolean;
  readonly yes?: boolean;
}

export type Group = 'Every day:' | 'Build:' | 'Inspect:' | 'Operate:';

/** A command as its help shows it; `load` brings the code that runs it. */
export interface CommandSpec {
  /** One or two words: `status`, `release list`. */
  readonly name: string;
  readonly group: Group;
  /** Positional arguments in commander's words: `<model>`, `[model]`, `<files...>`. */
  readonly args?: string;
  readonly summary: string;
  /** What the noun is about, said with its first command. */
  readonly nounSummary?: string;
  readonly options?: readonly (readonly [flags: string, description: string, fallback?: string])[];
  readonly required?: readonly (readonly [flags: string, description: string])[];
  readonly examples: readonly string[];
  readonly load: () => Promise<{ readonly run: Run }>;
}
