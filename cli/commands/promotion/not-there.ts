import { detailsOf } from '#domain/audit/chain.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { TargetEnvironment } from '#domain/policy/policy.ts';
import { isAutomatic } from '#domain/promotion/quarantine.ts';
import { readRecords } from '#read-model/chain.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import { findRegistration } from '#read-model/registrations.ts';
import { whereDeployed } from '../status/collect.ts';
import type { Context } from '../../context.ts';
import type { FoundRelease } from '../../references.ts';
import { RefusedError, refuse } from '../../refusal.ts';

/** The quarantine of a release that was rolled back in an environment on its way: where, by whom, and why. */
export async function quarantineOf(
  context: Context,
  { model, release, version }: FoundRelease,
  to: TargetEnvironment,
): Promise<Refusal | undefined> {
  for (const environment of to === 'prod' ? (['prod', 'staging'] as const) : (['staging'] as const)) {
    const { ledger } = context.cloud(environment);
    if (!(await whereDeployed(readQuarantined(ledger, model), [])).includes(release)) continue;
    const rolledBack = (await readRecords(ledger, model)).findLast(
      ({ record }) => record.code === 'RELEASE_ROLLED_BACK' && record.details['from'] === release,
    )?.record;
    const found =
      rolledBack === undefined
        ? `${model}@${version} is quarantined in ${environment}`
        : `${model}@${version} was rolled back in ${environment} at ${rolledBack.at} by ${rolledBack.actor}: ${detailsOf(rolledBack, 'RELEASE_ROLLED_BACK').reason}`;
    const isLiftable = rolledBack !== undefined && isAutomatic(rolledBack);
    return {
      rule: 'release-quarantined',
      found,
      remedy: isLiftable
        ? `promote another release, or lift it: gatehouse quarantine lift ${model}@${version} --env ${environment} --reason "why"`
        : 'what a person quarantined stays: promote another release, or train a new one',
    };
  }
  return undefined;
}

/** Refuses a release that was rolled back in an environment on its way. */
export async function mustNotBeQuarantined(
  context: Context,
  found: FoundRelease,
  to: TargetEnvironment,
): Promise<void> {
  const refusal = await quarantineOf(context, found, to);
  if (refusal !== undefined) throw new RefusedError(refusal);
}

/** What dev concluded of the run that made a release, where it offered it to nobody: the verdict, its reasons and figures. */
export async function verdictOfDev(context: Context, { model, release, version }: FoundRelease): Promise<void> {
  const { ledger } = context.cloud('dev');
  const registration = await findRegistration(ledger, model, release);
  if (registration === undefined) return;
  const { run, metrics } = registration;
  const chain = (await readRecords(ledger, model)).map(({ record }) => record);
  if (chain.some(({ code, release: offered }) => code === 'RELEASE_OFFERED' && offered === release)) return;
  const ended = chain.findLast(
    ({ code, details }) =>
      ['CANDIDATES_REJECTED', 'CANDIDATES_HELD', 'RELEASE_OFFERED'].includes(code) && details['run'] === run,
  );
  if (ended === undefined) return;
  const verdict =
    { CANDIDATES_REJECTED: 'rejected it', CANDIDATES_HELD: 'held it' }[ended.code as string] ??
    'offered another candidate';
  const { reasons = [] } = ended.details as { readonly reasons?: readonly string[] };
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
  context.print({
    data: { model, release, version, run, verdict: ended.code, reasons, metrics },
    sections: [
      {
        title: `${model}@${version}: dev ${verdict}`,
        lines: [
          `  run      ${run}, record ${ended.seq} ${ended.code}`,
          `  metrics  ${figures.join(', ') || 'none'} (of its own rows)`,
          ...reasons.map((reason) => `  reason   ${reason}`),
        ],
      },
    ],
  });
  refuse(
    'released-upstream',
    `dev ${verdict} after ${run}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`,
    `see the comparison: gatehouse release show ${model}@${version} --report; then start another run`,
  );
}
