import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import { event, Text } from './event.ts';

/** What is said of every data check: how much was looked at, for which training, by which policy, and where all of it stands. */
const DATA_CHECK = {
  run: Text,
  partitions: z.int(),
  rows: z.int(),
  /** The plan of the training that was about to begin; null where data had just arrived. */
  training: Digest.nullable(),
  policy: Digest,
  evidence: Digest,
};

/** What happens in training and validation, before a release leaves dev. */
export const TRAINING_EVENTS = {
  RETRAINING_STARTED: event('a retraining run was opened', z.strictObject({ run: Text, asOf: Text, trigger: Text })),
  DATA_VALIDATED: event(
    'new data, or the data of a training run, meets the data rules of the policy and the expectation suites',
    z.strictObject(DATA_CHECK),
  ),
  DATA_REFUSED: event(
    'data fails the data rules of the policy or the expectation suites, or could not be validated',
    z.strictObject({ ...DATA_CHECK, verdict: z.enum(['FAIL', 'INCONCLUSIVE']), reasons: z.array(z.string()).max(12) }),
    true,
  ),
  BASELINE_REGISTERED: event(
    'the constant base-rate release of the model was registered',
    z.strictObject({ version: Text, run: Text, asOf: Text, baseRate: z.number(), commit: Text.exactOptional() }),
  ),
  RELEASE_REGISTERED: event(
    'a trained release was registered',
    z.strictObject({
      version: Text,
      reason: Text,
      run: Text,
      asOf: Text,
      window: Text,
      fingerprint: Digest,
      /** The commit that it was made from, as its manifest has it. */
      commit: Text.exactOptional(),
      /** The evidence by which its data was accepted before it was trained. */
      dataCheck: Digest.exactOptional(),
    }),
  ),
  RELEASE_REPORTED: event(
    'the evaluation report of a candidate was attached to its registration',
    z.strictObject({ version: Text, run: Text, html: Digest, json: Digest }),
  ),
  RELEASE_OFFERED: event(
    'a candidate proved better than the champion in dev and is offered to the next environment',
    z.strictObject({
      version: Text,
      run: Text,
      asOf: Text,
      /** The policy by which dev decided to offer; what admits is the one that is in force where the release goes. */
      policy: Digest.exactOptional(),
      champion: Digest,
      measure: Digest,
      improvement: z.number(),
      commit: Text.exactOptional(),
      dataCheck: Digest.exactOptional(),
    }),
  ),
  CANDIDATES_REJECTED: event(
    'all candidates of a retraining run were rejected',
    z.strictObject({ run: Text, asOf: Text, policy: Digest.exactOptional(), reasons: z.array(z.string()).max(12) }),
    true,
  ),
  CANDIDATES_HELD: event(
    'the evidence of a retraining run is inconclusive: nothing is promoted',
    z.strictObject({ run: Text, asOf: Text, policy: Digest.exactOptional(), reasons: z.array(z.string()).max(12) }),
    true,
  ),
} as const;
