// Without this function nothing would ever become production. It is the only writer of the pointer; it stands alone, so
// that a mistake anywhere else cannot switch what customers get.
import { z } from 'zod';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, Text } from '#runtime/wiring.ts';
import { commitPromotion } from '#use-cases/promotion/commit-promotion.ts';
import { confirmRelease } from '#use-cases/confirmation/confirm-release.ts';
import { startCanary, stopCanary } from '#use-cases/canary/divide-traffic.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';

const { ENVIRONMENT, LEDGER_TABLE } = readEnvironment(z.object({ ENVIRONMENT: Text, LEDGER_TABLE: Text }));
const deps = { environment: ENVIRONMENT, ledger: ledgerOf({ ledger: LEDGER_TABLE }), clock };

export const handler = tasks({
  'Commit promotion': commitPromotion(deps),
  'Confirm release': confirmRelease(deps),
  'Switch pointer': switchPointer(deps),
  'Start canary': startCanary(deps),
  'Stop canary': stopCanary(deps),
});
