import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { ModelName } from '../model/definition.ts';
import { CanaryMinute } from './counts.ts';

/** What the arms of a canary answered, as an object by digest: the closed minutes of a window in which there were requests. */
export const CanaryMinutes = document(
  'canary minutes',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    from: z.iso.datetime(),
    /** The end of the last minute that was closed when they were counted. */
    until: z.iso.datetime(),
    minutes: z.array(CanaryMinute),
  }),
);
