import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AUDIT_EVENTS } from '#domain/audit/events.ts';
import { INVARIANTS } from '#domain/audit/invariants.ts';
import { keys } from '#domain/ledger/keys.ts';
import { generatedDocs, MACHINE_NAMES } from '../../scripts/generate-docs.ts';
import { parseMachine, stateNames } from '../../scripts/machine-docs.ts';
import { anchorsOf, document, ROOT } from './_documents.ts';

const architecture = document('docs/architecture.md').text;
const runbook = document('docs/runbook.md');

test('what is generated is committed: npm run docs', async () => {
  for (const [path, text] of await generatedDocs()) expect(document(path).text, `${path}: npm run docs`).toBe(text);
});

test('each alert has its article', () => {
  const alerts = Object.entries(AUDIT_EVENTS).flatMap(([code, { alert }]) => (alert ? [code.toLowerCase()] : []));
  expect(alerts.filter((anchor) => !anchorsOf(runbook).has(anchor))).toEqual([]);
});

test('the runbook speaks of each invariant', () => {
  expect(INVARIANTS.map(({ id }) => id).filter((id) => !runbook.text.includes(id))).toEqual([]);
});

test('each function is in the privilege map', () => {
  const functions = readdirSync(join(ROOT, 'lambdas'));
  // An endpoint is a function for each model.
  const isThere = (name: string) => [`\n| \`${name}\` |`, `\n| \`${name}-`].some((row) => architecture.includes(row));
  expect(functions.filter((name) => !isThere(name))).toEqual([]);
});

describe('state machines', () => {
  test('each file is one of the documented machines', () => {
    const files = readdirSync(join(ROOT, 'statemachines')).flatMap((file) => /^(.+)\.asl\.json$/.exec(file)?.[1] ?? []);
    expect(files.toSorted()).toEqual(MACHINE_NAMES.toSorted());
  });

  test.for(MACHINE_NAMES)('each state of %s is in its part of the architecture', (name) => {
    const [, part = ''] = architecture.split(`<!-- begin machine ${name} -->`);
    const [text = ''] = part.split('<!-- end machine');
    const states = stateNames(parseMachine(document(`statemachines/${name}.asl.json`).text));
    expect(states.length).toBeGreaterThan(5);
    expect(states.filter((state) => !text.includes(state))).toEqual([]);
  });
});

test('each authority of the ledger is in its table', () => {
  const text = Object.values(keys).map(String).join('\n');
  const authorities = [...new Set([...text.matchAll(/`([A-Z]+)#/g)].map(([, authority = '']) => authority))];
  const [, part = ''] = architecture.split('## The ledger');
  const [table = ''] = part.split('**One transaction**');
  expect(authorities.length).toBeGreaterThan(15);
  expect(authorities.filter((authority) => !new RegExp(`\`${authority}(#<gate>)?\``).test(table))).toEqual([]);
});
