import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Registration } from '#domain/release/registration.ts';
import { findRegistration } from '#read-model/registrations.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const AttachReport = contract({
  input: z.object({ model: z.string(), run: z.string(), release: Digest, html: Digest, json: Digest }),
  output: z.object({ status: z.literal('attached'), result: z.enum(['recorded', 'already-recorded']) }),
});

/** Names the newest report of a release in its registration; a release that another run meets again gets a newer one. */
export function attachReport(deps: Recording): Task {
  return AttachReport.task(async ({ model, run, release, html, json }) => {
    const registered = await findRegistration(deps.ledger, model, release);
    const missing = () => new GatehouseError('NOT_REGISTERED', `release ${release} is not registered`, { release });
    if (registered === undefined) throw missing();
    const registration: Registration = { ...registered, report: { html, json } };
    const result = await recordChange(deps, {
      model,
      operation: operationName('report', run, release),
      // Nothing but the report of a registration ever changes.
      writes: [
        {
          kind: 'put',
          item: { ...keys.registration(model, release), ...registration },
          condition: equals({ release }),
        },
      ],
      event: {
        code: 'RELEASE_REPORTED',
        actor: 'pipeline:registration',
        release,
        details: { version: registration.version, run, html, json },
      },
    });
    // The one condition is that it is registered.
    if (result.kind === 'refused') throw missing();
    return { status: 'attached', result: result.kind };
  });
}
