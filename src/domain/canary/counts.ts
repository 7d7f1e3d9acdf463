import { z } from 'zod';

/** What one arm answered in a minute: each event by its first outcome, once. */
export const ArmCounts = z
  .strictObject({
    requests: z.int().min(0),
    /** Requests that the arm failed. */
    errors: z.int().min(0),
    /**
     * Requests above the latency objective, and those for which the arm was late, so that the champion answered: how long an arm takes depends on
     * its function as well, so that it is compared with the control arm only. 0 where there is no objective.
     */
    slow: z.int().min(0),
    /** Requests that the arm did not answer in its time, so that the champion did: no errors, and no proof of the arm either. 0 in older documents. */
    late: z.int().min(0).default(0),
  })
  .superRefine(({ requests, errors, slow, late }, context) => {
    for (const [path, count] of Object.entries({ errors, slow, late }))
      if (count > requests)
        context.addIssue({ code: 'custom', path: [path], message: `at most requests, ${requests}` });
    // A request has one outcome: what was late has not failed.
    if (errors + late > requests)
      context.addIssue({
        code: 'custom',
        path: ['late'],
        message: `with errors, ${errors}, at most requests, ${requests}`,
      });
  });
export type ArmCounts = z.infer<typeof ArmCounts>;

/** The requests that an arm answered or failed itself, in its time. */
export function settledBy({ requests, late }: ArmCounts): number {
  return requests - late;
}

/** A closed minute of the request log; an arm that is null has no data, which is something else than no requests. */
export const CanaryMinute = z.strictObject({
  minute: z.iso.datetime(),
  candidate: ArmCounts.nullable(),
  /** The champion's digest in a function of the same age and size as the candidate's. */
  control: ArmCounts.nullable(),
  champion: ArmCounts.nullable(),
});
export type CanaryMinute = z.infer<typeof CanaryMinute>;

/** The arms of the traffic, and their names in the pointer and in the request log. */
export const Arm = z.enum(['champion', 'candidate', 'control']);
export type Arm = z.infer<typeof Arm>;

/** Counts of all arms, of a minute or of several. */
export interface CanaryCounts {
  readonly candidate: ArmCounts;
  readonly control: ArmCounts;
  readonly champion: ArmCounts;
}

/** What an arm without requests has. */
export const NOTHING: ArmCounts = { requests: 0, errors: 0, slow: 0, late: 0 };

/** The sum of two counts. */
export function plus(a: ArmCounts, b: ArmCounts): ArmCounts {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    slow: a.slow + b.slow,
    late: a.late + b.late,
  };
}
