import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { soundState, START } from '../domain/audit/_state.ts';
import { fill, testContext } from './_context.ts';

export const MODEL = 'flight-delay';

/** A context in whose prod two releases were promoted and one was rolled back. */
export async function afterRollback(given: Readonly<Record<string, unknown>>, env?: string) {
  const test = testContext(given, env === undefined ? {} : { env });
  const state = soundState();
  await fill(test.ledgerOf('prod'), [
    ...state.standing,
    ...state.stored.map(({ seq, ...item }) => ({ ...keys.chainRecord(MODEL, seq), ...item })),
    ...state.predictions.map((manifest) => ({ ...keys.prediction(MODEL, manifest.day), ...manifest })),
  ]);
  const versions = ['0.1.0', '1.0.0', '1.0.1'];
  await fill(test.ledgerOf('dev'), [
    ...versions.map((version) => ({ ...keys.version(MODEL, version), release: digestOf(version) })),
    ...versions.map((version) => ({
      ...keys.registration(MODEL, digestOf(version)),
      formatVersion: 1,
      model: MODEL,
      release: digestOf(version),
      kind: version === '0.1.0' ? 'baseline' : 'trained',
      version,
      reason: 'the same recipe on other data',
      owner: 'ops',
      creator: 'pipeline:registration',
      at: START.toISOString(),
      run: 'run-1',
      window: 'four-weeks',
      metrics: {},
      parent: null,
    })),
  ]);
  return test;
}
