import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { addDays } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, equals, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { findDriftAnswer } from '#read-model/cursors.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

interface Retraining extends Recording {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
}

/** How often a decision is taken anew when another drift of the same model was answered meanwhile. */
const ATTEMPTS = 3;

/**
 * Starts a retraining where prod's chain says that a stable input has drifted: once for a check, and at most as often as the
 * policy has it. The answer is in dev's chain, whichever it is. What comes of the retraining is validated and promoted like
 * any other: drift promotes nothing.
 */
export async function retrainOnDrift(deps: Retraining, record: AuditRecord, hash: Digest): Promise<void> {
  const { model, environment: peer, seq } = record;
  const { inputs, worst, asOf } = detailsOf(record, 'DRIFT_CHECKED');
  if (inputs !== 'drifted' || worst === null) return;
  const { drift } = deployedModel(deps.deployed, model).policy;
  if (drift === undefined) return;
  const run = `${model}-drift-${peer}-${seq}`;
  const moved = `${worst.input} has an index of ${worst.index.toFixed(3)}`;
  const key = keys.cursor('drift', model);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const last = await findDriftAnswer(deps.ledger, model);
    const until = last === undefined ? '' : addDays(last.asOf, drift.retrainAtMostEveryDays);
    const isOwn = last?.run === run;
    const isDeferred = !isOwn && asOf < until;
    const condition = last === undefined ? ABSENT : equals({ run: last.run });
    const write: Write =
      isDeferred || isOwn
        ? { kind: 'check', key, condition }
        : { kind: 'put', item: { ...key, model, run, asOf, seq }, condition };
    const result = await recordChange(deps, {
      model,
      operation: operationName('drift', hash),
      writes: [write],
      event: {
        code: 'DRIFT_HANDLED',
        actor: 'pipeline:intake',
        release: record.release,
        details: {
          peer,
          seq,
          record: hash,
          asOf,
          answer: isDeferred ? 'deferred' : 'retraining',
          run: isDeferred && last !== undefined ? last.run : run,
          reason: isDeferred ? `${moved}; the next retraining by drift is as of ${until} or later` : moved,
        },
      },
    });
    if (result.kind === 'refused') continue;
    // Who heard of it before and did not come to start it, starts it now: its name is the check's.
    if ((await findDriftAnswer(deps.ledger, model))?.run === run)
      await deps.machines.start('retraining', run, { model, trigger: 'drift', asOf });
    return;
  }
  throw new GatehouseError('DRIFT_CONTENDED', `the answer to drift of ${model} did not come to rest; try again`, {
    model,
  });
}
