import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { BuiltBatch, causesIn } from '#domain/data/build-refusals.ts';
import { GatehouseError } from '#domain/error.ts';
import { equals, textOf } from '#domain/ledger/item.ts';
import { Day } from '#domain/model/definition.ts';
import { type DeployedModels, deployedModel, policyDigest } from '#domain/model/deployed.ts';
import { findRegistration } from '#read-model/registrations.ts';
import { findRunItem } from '#read-model/runs.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';

const Run = z.object({ model: z.string(), run: z.string(), asOf: Day });
const Reasons = Run.extend({ reasons: z.array(z.string()) });

/** How a run ended, and whether it was this call that recorded it. */
function concluded<S extends string>(status: S) {
  return z.object({ status: z.literal(status), result: z.enum(['recorded', 'already-recorded']) });
}

export const OfferRelease = contract({
  input: Run.extend({ champion: Digest, release: Digest, measure: Digest, improvement: z.number() }),
  output: concluded('offered'),
});

export const RejectCandidates = contract({ input: Reasons, output: concluded('rejected') });

export const RejectUnfitData = contract({
  input: Reasons.extend({ daily: z.array(BuiltBatch), features: z.array(BuiltBatch) }),
  output: RejectCandidates.output,
});

export const HoldAsInconclusive = contract({ input: Reasons, output: concluded('held') });

interface Concluding extends Recording {
  readonly deployed: DeployedModels;
}

/** What every conclusion names: the run, and the policy by which dev decides what to offer. */
function judged({ deployed }: Concluding, { model, run, asOf }: z.infer<typeof Run>) {
  return { run, asOf, policy: policyDigest(deployedModel(deployed, model).policy) };
}

/** Offers the proven candidate to the next environment: the signed record is all that goes there. */
export function offerRelease(deps: Concluding): Task {
  return OfferRelease.task(async ({ champion, release, measure, improvement, ...run }) => {
    const registered = await findRegistration(deps.ledger, run.model, release);
    if (registered === undefined)
      throw new GatehouseError('NOT_REGISTERED', `release ${release} is not registered`, { release });
    const { version, dataCheck, commit } = registered;
    return conclude(deps, run, 'offered', {
      code: 'RELEASE_OFFERED',
      actor: 'pipeline:validation',
      release,
      details: {
        version,
        ...judged(deps, run),
        champion,
        measure,
        improvement,
        ...(commit === undefined ? {} : { commit }),
        ...(dataCheck === undefined ? {} : { dataCheck }),
      },
    });
  });
}

/** Ends a run none of whose candidates may go on. */
export function rejectCandidates(deps: Concluding): Task {
  return RejectCandidates.task((given) => reject(deps, given));
}

/** Ends a run whose data is not fit for training; what could not even be built is the cause of what is missing. */
export function rejectUnfitData(deps: Concluding): Task {
  return RejectUnfitData.task(({ daily, features, reasons, ...run }) =>
    reject(deps, { ...run, reasons: [...causesIn([...daily, ...features]), ...reasons] }),
  );
}

function reject(deps: Concluding, { reasons, ...run }: z.output<typeof Reasons>) {
  return conclude(deps, run, 'rejected', {
    code: 'CANDIDATES_REJECTED',
    actor: 'pipeline:validation',
    release: null,
    details: { ...judged(deps, run), reasons: truncated(reasons, 8, 2800) },
  });
}

/** Ends a run whose evidence decides nothing: no promotion, and a person should look. */
export function holdAsInconclusive(deps: Concluding): Task {
  return HoldAsInconclusive.task(({ reasons, ...run }) =>
    conclude(deps, run, 'held', {
      code: 'CANDIDATES_HELD',
      actor: 'pipeline:validation',
      release: null,
      details: { ...judged(deps, run), reasons: truncated(reasons, 8, 2800) },
    }),
  );
}

async function conclude<S extends string>(
  deps: Recording,
  { model, run }: { readonly model: string; readonly run: string },
  status: S,
  event: AuditEvent,
) {
  const item = await findRunItem(deps.ledger, model, run);
  const result = await recordChange(deps, {
    model,
    operation: operationName('conclude', run),
    writes:
      item === undefined
        ? []
        : [
            {
              kind: 'put',
              item: { ...item, status, endedAt: deps.clock.now().toISOString() },
              condition: equals({ status: textOf(item, 'status') }),
            },
          ],
    event,
  });
  // The run was ended by somebody else since it was read: a repetition reads it again.
  if (result.kind === 'refused')
    throw new GatehouseError('RUN_MOVED', `run ${run} was changed at the same time`, { model, run });
  return { status, result: result.kind };
}
