// Without this function an environment would not hear of its peers: it reads their signed chains when an announcement
// hints at news, opens promotions, takes in people's decisions, and in dev retrains where prod has drifted.
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { z } from 'zod';
import { snsNotices } from '#adapters/aws/notices.ts';
import { s3PeerRecords } from '#adapters/aws/published-records.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { queueHandler } from '#runtime/queue.ts';
import { clock, ledgerOf, lookUp, s3, Text, TextMap } from '#runtime/wiring.ts';
import { keepingFaults } from '#use-cases/audit/record-faults.ts';
import { receiveRequest } from '#use-cases/control/receive-request.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';

const { ENVIRONMENT, LEDGER_TABLE, PEER_BUCKETS, MACHINE_ARNS, APPROVERS_TOPIC } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    PEER_BUCKETS: TextMap,
    MACHINE_ARNS: TextMap,
    APPROVERS_TOPIC: Text.optional(),
  }),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  peers: s3PeerRecords(s3, lookUp(PEER_BUCKETS, 'published bucket')),
  deployed: readDeployedModels(),
  machines: stepFunctions(new SFNClient(), lookUp(MACHINE_ARNS, 'state machine')),
};
const handle =
  APPROVERS_TOPIC === undefined
    ? followPeer(deps)
    : receiveRequest({ ...deps, notices: snsNotices(new SNSClient(), APPROVERS_TOPIC) });

/** An announcement as SNS wraps it, or the reconciler's own hint. */
const Hint = z.object({ environment: Text, model: Text });
const Message = z.union([
  Hint,
  z.object({ Message: z.string() }).transform(({ Message: text }) => Hint.parse(JSON.parse(text))),
]);

/** A record that cannot be taken in stops those after it in its chain, which depend on it, and no other chain. */
const read = keepingFaults(
  deps,
  'intake',
  ({ environment, model }: z.infer<typeof Hint>) => ({ item: `${model} from ${environment}`, model }),
  ({ environment, model }) => readPeer(deps, environment, model, handle),
);

export const handler = queueHandler(Message, read);
