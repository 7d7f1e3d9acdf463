import { z } from 'zod';
import { checkInvariants, type InvariantResult } from '#domain/audit/invariants.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Context, Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { modelNames } from '../../references.ts';
import type { Report } from '../../report.ts';
import { whereDeployed } from '../status/collect.ts';
import { CHECKED, decisionsOf, ledgerState } from './collect.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName.optional() }));
  const models = model === undefined ? await modelNames(context) : [model];
  const results: InvariantResult[] = [];
  for (const name of models) results.push(...(await checkModel(context, name)));
  if (results.length === 0) refuse('environment-deployed', 'no environment is deployed', 'run: gatehouse deploy');
  context.print(fsckReport(results));
  mustHold(results);
};

/** Refuses a ledger that violates an invariant. */
export function mustHold(results: readonly InvariantResult[]): void {
  const violated = results.filter(({ found }) => found.length > 0);
  const [first] = violated;
  if (first === undefined) return;
  refuse(
    'invariants',
    `${violated.length} of ${results.length} checks are violated; first: ${first.environment} ${first.invariant}: ${first.found[0]}`,
    'see docs/runbook.md; nothing was changed',
  );
}

/** Every invariant on a model, in every environment that is deployed. */
export async function checkModel(context: Context, model: string): Promise<readonly InvariantResult[]> {
  const now = context.now();
  const decisions = await whereDeployed(decisionsOf(context.cloud('control'), model), undefined);
  const results: InvariantResult[] = [];
  for (const environment of CHECKED) {
    const inspect = async (): Promise<readonly InvariantResult[]> => {
      const state = await whereDeployed(ledgerState(context.cloud(environment), model, decisions, now), undefined);
      return state === undefined ? [] : checkInvariants(state);
    };
    const first = await inspect();
    // Items are read one after another: what a change in between seems to break is whole at the second look.
    results.push(...(first.some(({ found }) => found.length > 0) ? await inspect() : first));
  }
  return results;
}

/** The checks as a table, and what they found. */
export function fsckReport(results: readonly InvariantResult[]): Report {
  const violated = results.filter(({ found }) => found.length > 0);
  return {
    data: { isClean: violated.length === 0, checks: results },
    sections: [
      {
        columns: ['environment', 'model', 'check', 'result'],
        rows: results.map(({ environment, model, invariant, found }) => [
          environment,
          model,
          invariant,
          found.length === 0 ? 'ok' : `VIOLATED (${found.length})`,
        ]),
      },
      ...violated.map(({ environment, model, invariant, meaning, found }) => ({
        title: `${environment} ${model}: ${invariant}`,
        lines: [`  must hold: ${meaning}`, ...found.map((line) => `  - ${line}`)],
      })),
      {
        lines: [
          violated.length === 0
            ? `clean: ${results.length} checks hold`
            : `${violated.length} of ${results.length} checks are violated`,
        ],
      },
    ],
  };
}
