import { z } from 'zod';
import { badRateOf, type CanaryOutcomes, type CanaryPower, planCanary, RUNS, SEED } from '#domain/canary/power.ts';
import { REJECTS_AT } from '#domain/canary/e-process.ts';
import { DEFAULT_TOLERATED_ERROR_RATE, MOST_HOURS } from '#domain/policy/canary.ts';
import { percent } from '#domain/text.ts';
import type { Run } from '../../context.ts';
import { UsageError } from '../../refusal.ts';
import type { TableSection, TextSection } from '../../report.ts';
import { entityWarning } from './by-entity.ts';

const Input = z.object({
  rate: z.coerce.number().gt(0, 'requests per second, above 0').max(1_000_000),
  errorRate: z.coerce.number().min(0, 'a share, from 0 to below 0.5').lt(0.5, 'a share, from 0 to below 0.5'),
  share: z.coerce
    .number()
    .gt(0, 'above 0 and at most 0.5: the control arm needs as much')
    .max(0.5, 'above 0 and at most 0.5: the control arm needs as much'),
  hours: z.coerce.number().gt(0, 'hours, above 0').max(MOST_HOURS, `at most ${MOST_HOURS} hours`).default(24),
  badRate: z.coerce.number().gt(0, 'a share, above 0').max(1, 'a share, at most 1').optional(),
  tolerated: z.coerce
    .number()
    .gt(0, 'a share, above 0 and at most 0.2')
    .max(0.2, 'a share, above 0 and at most 0.2')
    .default(DEFAULT_TOLERATED_ERROR_RATE),
  power: z.coerce.number().min(0.5, 'from 0.5 to 0.999').max(0.999, 'from 0.5 to 0.999').default(0.9),
  assignment: z.enum(['event', 'entity']).default('event'),
});

/** What a canary of a given traffic can see in its time, before anything is promoted. */
export const run: Run = async (context) => {
  const { rate, errorRate, tolerated, badRate, assignment, ...plan } = context.input(Input);
  if (badRate !== undefined && badRate <= errorRate)
    throw new UsageError(`--bad-rate ${badRate} is not above --error-rate ${errorRate}: there is nothing to find`);
  const power = planCanary({
    ...plan,
    requestsPerSecond: rate,
    errorRate,
    toleratedErrorRate: tolerated,
    ...(badRate === undefined ? {} : { badRate }),
  });
  const warning = assignment === 'entity' ? await entityWarning() : undefined;
  context.print({
    data: {
      ...power,
      falseAbortsAtMost: 1 / REJECTS_AT,
      runs: RUNS,
      seed: SEED,
      assignment,
      // What the bench measured: no bound holds where requests of one entity are alike.
      warning: warning ?? null,
    },
    sections: [
      trafficOf(power),
      outcomesOf(power),
      conclusionOf(power),
      ...(warning === undefined ? [] : [{ lines: [warning, NOT_BY_ENTITY] }]),
    ],
  });
};

function trafficOf({ plan, badRate, expectedRequests }: CanaryPower): TextSection {
  const { share, hours, errorRate, toleratedErrorRate, requestsPerSecond } = plan;
  const least = badRateOf(plan);
  const why = least > toleratedErrorRate ? 'twice the champion’s' : 'the tolerated rate';
  return {
    lines: [
      `${requestsPerSecond} requests/s for ${hours} h, ${percent(share, 0)} of them to the candidate: ${expectedRequests.candidate} of ${expectedRequests.all} requests`,
      `errors: ${percent(errorRate)} of the champion’s requests; to be found are ${percent(badRate)}${badRate === least ? `, ${why}` : ''}`,
    ],
  };
}

function outcomesOf({ healthy, bad }: CanaryPower): TableSection {
  const row = (name: string, outcomes: CanaryOutcomes): string[] => [
    name,
    percent(outcomes.candidateRate),
    percent(outcomes.aborted, 1),
    percent(outcomes.finished, 1),
    percent(outcomes.inconclusive, 1),
    hoursText(outcomes.hoursToAbort),
    hoursText(outcomes.hoursToProof),
  ];
  return {
    title: `${healthy.runs} simulated canaries each`,
    columns: ['candidate', 'errors', 'aborted', 'finished', 'inconclusive', 'aborted after', 'proven not bad after'],
    rows: [row('like the champion', healthy), row('bad', bad)],
  };
}

function conclusionOf({ plan, bad, healthy, canStart, helps }: CanaryPower): TextSection {
  const found = `${percent(bad.aborted, 1)} of bad candidates are found in ${plan.hours} h, needed are ${percent(plan.power, 1)}`;
  const changes = helps.map(
    ({ share, hours, power }) =>
      `  ${hours} h with a share of ${percent(share, 0)}: ${percent(power, 1)} of them are found`,
  );
  return {
    lines: [
      `a canary of this traffic ${canStart ? 'can start' : 'does not start'}: ${found}`,
      `a candidate like the champion is aborted in ${percent(healthy.aborted, 1)} of the canaries; by proof in at most ${percent(1 / REJECTS_AT, 0)}`,
      ...(canStart ? [] : ['what helps:', ...(changes.length === 0 ? [NOTHING_HELPS] : changes)]),
      ...(canStart && healthy.finished < plan.power
        ? [
            `only ${percent(healthy.finished, 1)} of candidates like the champion finish in ${plan.hours} h; the others need more hours, until the deadline`,
          ]
        : []),
    ],
  };
}

const NOT_BY_ENTITY = 'the simulation is of requests that fail independently: it says nothing of entities';

const NOTHING_HELPS =
  '  no longer or larger canary that was tried; a shadow compares pairs, and finds smaller differences';

function hoursText(hours: number | null): string {
  return hours === null ? '-' : `${hours.toFixed(1)} h`;
}
