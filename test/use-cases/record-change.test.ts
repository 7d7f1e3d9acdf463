import { beforeEach, expect, it } from 'vitest';
import { keys } from '#domain/ledger/keys.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { type Environment, MODEL, world } from './_environments.ts';

let all: ReturnType<typeof world>;
let prod: Environment;
beforeEach(() => {
  all = world();
  prod = all.environment('prod');
});

const change = (until: Date) => ({
  model: MODEL,
  operation: 'an-act',
  writes: [{ kind: 'put' as const, item: { ...keys.quarantine(MODEL, 'sha256:x'), reason: 'tried' } }],
  event: {
    code: 'RETRAINING_STARTED' as const,
    actor: 'pipeline:test',
    release: null,
    details: { run: 'run-1', asOf: '2001-01-20', trigger: 'test' },
  },
  until,
});

it('records what its decision allows, until that expires', async () => {
  const until = new Date(all.clock.at + 1000);
  all.clock.at += 999;
  expect(await recordChange(prod, change(until))).toMatchObject({ kind: 'recorded' });
});

it('records nothing any more when what it was decided from has expired, also between two attempts', async () => {
  const until = new Date(all.clock.at + 1000);
  const ledger = {
    ...prod.ledger,
    // Another act takes the place in the chain, and time passes while this one is tried again.
    transact: async (...args: Parameters<typeof prod.ledger.transact>) => {
      await recordChange(prod, { ...change(new Date(all.clock.at + 1)), operation: 'another-act', writes: [] });
      all.clock.at += 1000;
      return prod.ledger.transact(...args);
    },
  };
  await expect(recordChange({ ...prod, ledger }, change(until))).rejects.toMatchObject({ code: 'DECISION_OUTDATED' });
  expect(await prod.ledger.get(keys.quarantine(MODEL, 'sha256:x'))).toBeUndefined();
  expect(await prod.codes()).toEqual(['RETRAINING_STARTED']);
});
