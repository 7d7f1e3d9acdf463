import { z } from 'zod';

const Name = z.string().min(1);

/** What a supervisor looks at, as synth writes it: what an environment does not have is not named, and so not missed. */
export const Watched = z.strictObject({
  /** What the names of the environment's resources begin with. */
  prefix: Name,
  inbox: z.strictObject({ name: Name, arn: Name }),
  /** The announcement topics of the peers that are followed. */
  peers: z.record(z.string(), Name),
  /** The topic of alerts; none where nobody is configured to be alerted. */
  alerts: Name.nullable(),
  /** The machines, by their names. */
  machines: z.record(z.string(), Name),
  /** The functions that queues and streams invoke. */
  eventSourced: z.array(Name),
  /** The log groups of endpoints, each with a subscription that stores its requests. */
  requestLogs: z.array(Name),
  /** The aliases of keys. */
  keys: z.array(Name),
  /** Whether data are admitted here. */
  hasCatalogue: z.boolean(),
});
export type Watched = z.infer<typeof Watched>;

/** What the names of queues end with that hold what nobody could do: nothing is meant to be in one. */
const DEAD_LETTERS = /-(dead-letters|undelivered|unpublished)$/;

/** Whether a queue holds what could not be delivered or done. */
export function isDeadLetterQueue(name: string): boolean {
  return DEAD_LETTERS.test(name);
}

/** Hours within which a new day of each source is expected, where a model's definition does not say. */
export const DATA_WITHIN_HOURS = 48;
