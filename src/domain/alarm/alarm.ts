import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';

/** What an alarm of an endpoint watches; each kind can roll its release back. */
export const AlarmKind = z.enum(['errors', 'latency', 'health']);
export type AlarmKind = z.infer<typeof AlarmKind>;

/** What endpoints and their probes measure, by environment and model; answers besides by the arm that gave them. */
export const ENDPOINT_METRICS = {
  /** 1 for each request for predictions, whatever came of it. */
  requests: 'Requests',
  /** 1 for a request that failed, and the release is why; 0 otherwise. */
  errors: 'Errors',
  /** 1 for a request that failed, and something beside the release is why: late aggregates, a store that cannot be reached; 0 otherwise. */
  dependencyUnavailable: 'DependencyUnavailable',
  /** Milliseconds from a request's arrival until its answer. */
  latency: 'Latency',
  /** 1 for an answer above the policy's factor of the baseline, 0 for any other answer. */
  slow: 'SlowAnswers',
  /** 1 for each probe that learned something, or found nothing promoted; none where something beside the release is why. */
  probes: 'Probes',
  /** Minutes since a probe learned something, emitted each minute by what sends none. */
  unprobed: 'MinutesWithoutProbe',
  /** 1 for a probe that failed, 0 for one that did not. */
  probeFailed: 'ProbeFailed',
} as const;

/** Minutes without a probe that people are paged after: some may fail, or wait for their retries. */
export const UNPROBED_MINUTES = 15;

/** The newest rollback of a model that an alarm has triggered. */
export const AutomaticRollback = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  rollback: z.string().min(1),
  /** What is rolled back, in which epoch of the pointer. */
  release: Digest,
  epoch: z.int().min(1),
  alarm: z.string().min(1),
  kind: AlarmKind,
  found: z.string(),
  values: z.record(z.string(), z.number()),
  at: z.iso.datetime(),
});
export type AutomaticRollback = z.infer<typeof AutomaticRollback>;

/** Whose actions the trigger's are, in records. */
export const TRIGGER = 'pipeline:alarms';

/** The rollback that an epoch's alarm triggers: there is one, whichever alarm it was and however often it fires. */
export function automaticRollbackName(model: string, epoch: number): string {
  return `alarm-${model}-${epoch}`;
}
