import { z } from 'zod';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import type { Cloud } from '#cli/cloud.ts';
import type { Context } from '#cli/context.ts';
import { UsageError } from '#cli/refusal.ts';
import { chosenEnvironment } from '#cli/execute.ts';
import { type Format, render, type Report } from '#cli/report.ts';
import type { Item as LedgerItem } from '#domain/ledger/item.ts';
import type { Environment } from '#model/config.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';

/** A context whose clouds are ledgers in memory; a command's results are kept. */
export function testContext(
  given: Readonly<Record<string, unknown>>,
  options: { readonly env?: string; readonly models?: readonly string[]; readonly home?: string } = {},
) {
  const ledgers = new Map<Environment, ReturnType<typeof memoryLedger>>();
  const ledgerOf = (environment: Environment) => {
    const ledger = ledgers.get(environment) ?? memoryLedger();
    ledgers.set(environment, ledger);
    return ledger;
  };
  const printed: Report[] = [];
  const context: Context = {
    config,
    home: options.home ?? '.gatehouse',
    modelFolders: options.models ?? ['models'],
    profile: undefined,
    wait: true,
    isEnvironmentNamed: options.env !== undefined,
    now: () => new Date('2026-03-02T12:00:00.000Z'),
    cloud: (environment) => ledgerOnly(environment, ledgerOf(environment)),
    environment: (allowed, fallback) => chosenEnvironment(options.env, allowed, fallback),
    print: (report) => void printed.push(report),
    note: () => {},
    confirm: () => Promise.resolve(),
    ask: () => Promise.reject(new UsageError('no terminal')),
    input: (schema) => schema.parse(given),
  };
  return {
    context,
    ledgerOf,
    text: (format: Format = 'table') => printed.map((report) => render(report, format)).join('\n'),
  };
}

function absent(): never {
  throw new Error('this test has a ledger only');
}

/** A cloud of which only the ledger answers. */
function ledgerOnly(environment: Environment, ledger: Cloud['ledger']): Cloud {
  return {
    environment,
    names: namesOf(config, environment),
    isLocal: true,
    endpoint: undefined,
    ledger,
    rows: { of: absent },
    outputs: absent,
    get s3() {
      return absent();
    },
    get sfn() {
      return absent();
    },
    get sqs() {
      return absent();
    },
    get sns() {
      return absent();
    },
    get lambda() {
      return absent();
    },
  };
}

/** Puts items into a ledger as they stand. */
export async function fill(ledger: ReturnType<typeof memoryLedger>, items: readonly object[]): Promise<void> {
  for (const [index, item] of items.entries()) {
    await ledger.transact([{ kind: 'put', item: Item.parse(item) }], `fill-${ledger.items.size}-${index}`);
  }
}

const Item = z.custom<LedgerItem>(
  (value) => typeof value === 'object' && value !== null && 'pk' in value && 'sk' in value,
);
