import { z } from 'zod';
import type { Digest } from '#domain/canonical/digest.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { behind, rollbackTarget } from '#domain/promotion/rollback.ts';
import { SeenText } from '#domain/text.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import type { Run } from '../../context.ts';
import { readinessLines, readinessThere } from '../status/readiness.ts';
import { parseReference } from '../../references.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { followToSuccess, freshName, operator, startExecution, statesSection } from '../../executions.ts';

const Input = z.object({
  model: ModelName,
  reason: SeenText.min(3).max(500),
  to: z.string().optional(),
  dryRun: z.boolean().default(false),
});

export const run: Run = async (context) => {
  const { model, reason, to: named, dryRun } = context.input(Input);
  const environment = context.environment(['staging', 'prod']);
  const cloud = context.cloud(environment);
  const [pointer, quarantined] = await Promise.all([
    readPointer(cloud.ledger, model),
    readQuarantined(cloud.ledger, model),
  ]);
  // The machine decides again from what it reads itself; this look is for the person who is asked for consent.
  const to = named === undefined || pointer === undefined ? null : confirmedRelease(pointer, named);
  const target = rollbackTarget(pointer, (release) => quarantined.includes(release), to);
  if (target.kind === 'refuse') throw new RefusedError(target.refusal);
  const skipped = target.skipped.map((version) => `${version} was confirmed after it, and stays what it is`);
  if (dryRun) {
    const affected = (await readPredictions(cloud.ledger, model)).filter(({ release }) => release === pointer?.current);
    const days = affected.map(({ day }) => day);
    const readiness = await readinessThere(cloud.ledger, model, pointer, context.now());
    // What was checked is the newest confirmed release; another one that is named was not.
    const isChecked = target.release === (pointer === undefined ? undefined : behind(pointer)[0]?.release);
    context.print({
      data: {
        environment,
        model,
        from: pointer?.version,
        to: target.version,
        skipped: target.skipped,
        days,
        readiness: isChecked ? readiness : null,
      },
      sections: [
        {
          lines: [
            `would take ${model} in ${environment} back from ${pointer?.version ?? 'nothing'} to ${target.version} (${target.release})`,
            ...skipped.map((line) => `  ${line}`),
            ...(isChecked
              ? readinessLines(environment, readiness, context.now())
              : [`${environment} rollback ready: NOT KNOWN, ${target.version} is not what is checked each day`]
            ).map((line) => `  ${line}`),
            `  and repair ${days.length} days of predictions; nothing was changed`,
          ],
        },
      ],
    });
    return;
  }
  for (const line of skipped) context.note(line);
  await context.confirm(
    `Take ${model} in ${environment} back from ${pointer?.version ?? 'nothing'} to ${target.version}? The digest it serves now is quarantined for good.`,
  );
  const rollback = freshName('rollback', model);
  const arn = await startExecution(cloud, 'rollback', rollback, {
    model,
    reason,
    actor: await operator(cloud),
    rollback,
    from: pointer?.current,
    epoch: pointer?.epoch,
    to,
  });
  context.note(`rollback ${rollback} of ${model} in ${environment} has begun`);
  if (!context.wait) {
    context.print({
      data: { rollback, arn, environment, model },
      sections: [{ lines: [`see: gatehouse status ${model}`] }],
    });
    return;
  }
  const view = await followToSuccess(context, cloud, arn, model);
  const now = await readPointer(cloud.ledger, model);
  context.print({
    data: { rollback, environment, model, from: pointer?.version, to: now?.version, states: view.states },
    sections: [
      { lines: [`${environment} serves ${model}@${now?.version ?? 'nothing'} again`] },
      statesSection(view.progress),
    ],
  });
};

/** The release of the rollback history that a person names: by its version, as model@version, or by the beginning of its digest. */
function confirmedRelease(pointer: Pointer, text: string): Digest {
  const confirmed = behind(pointer);
  const known = confirmed.map(({ version }) => version).join(', ') || 'none';
  const byVersion = confirmed.find(({ version }) => version === text || `${pointer.model}@${version}` === text);
  if (byVersion !== undefined) return byVersion.release;
  const reference = parseReference(
    text.includes('@') || /^(?:sha256:)?[0-9a-f]{8,}$/.test(text) ? text : `${pointer.model}@${text}`,
  );
  const found = confirmed.filter(({ release }) => reference.kind === 'digest' && release.startsWith(reference.prefix));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only.release;
  return refuse('rollback-target', `${text} was not confirmed before ${pointer.version}`, `name one of: ${known}`);
}
