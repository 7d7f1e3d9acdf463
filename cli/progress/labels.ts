/** What each working state of the machines does, as a person would say it while it does it. A Map's words are followed by numbers. */
export const LABELS: Readonly<Record<string, string>> = {
  // retraining
  'Open retraining run': 'opening the run',
  'Plan windows': 'planning the training windows',
  'Validate data': 'putting the data before its expectations',
  'Train windows': 'training windows',
  'Package candidates': 'packaging what was trained',
  'Register candidate': 'registering the candidates',
  'Validate candidates': 'validating the candidates',
  // validation and promotion
  'Plan validation': 'planning the comparison with the champion',
  'Plan comparison': 'planning the comparison with the champion',
  'Build daily partitions': 'building batches of daily aggregates',
  'Build feature partitions': 'building batches of features',
  'Score releases': 'scoring batches of the held-out days',
  'Measure answers': 'measuring what was answered on request',
  'Measure comparison': 'measuring the releases on the same rows',
  'Compare with champion': 'comparing with the champion',
  'Evaluate gates': 'evaluating the gates',
  'Plan reports': 'planning the evaluation reports',
  'Write reports': 'writing evaluation reports',
  'Offer release': 'offering the release to the next environment',
  'Open promotion': 'opening the promotion',
  'Wait for lock': 'waiting for another promotion to end',
  'Pull release': 'pulling the release and hashing its files',
  'Verify release': 'verifying the release: contents, signature, golden rows',
  'Request approvals': 'waiting for approval',
  'Plan aggregates': 'planning the daily aggregates that its endpoint loads',
  'Build missing aggregates': 'building daily aggregates',
  'Publish aggregates': 'publishing daily aggregates',
  'Plan rollback target': 'making sure that it can be rolled back',
  'Verify rollback target': 'verifying what a rollback would go to',
  'Check source data': 'reading the newest data as that release would',
  'Prepare rollback target': 'checking objects and keys that a rollback would need',
  'Plan latency': 'looking for what its latency is compared with',
  'Measure latency': 'measuring the latency of what is served',
  'Commit promotion': 'switching the pointer',
  'Verify serving': 'verifying that it is what is served',
  'Confirm release': 'confirming the release on probation',
  // data quality
  'Plan data check': 'looking for data that no suite has seen',
  'Stage data': 'staging and hashing the data',
  'Check expectations': 'checking expectations',
  'Judge data': 'judging the data',
  // probation
  'Plan review': 'looking for what the served release can be judged by',
  'Score shadow': 'scoring batches with the release that it replaced',
  'Judge release': 'judging the served release',
  // drift
  'Plan drift check': 'planning the comparison of training inputs with current inputs',
  'Measure stability': 'measuring how far its inputs have moved',
  'Recompute features': 'making stored features anew',
  'Judge drift': 'judging what was found',
  // rollback
  'Switch pointer': 'switching the pointer back',
  'Change incident': 'changing the incident',
  'Open incident': 'opening an incident',
  'Wait before probing': 'waiting until the endpoint reads the pointer again',
  'Probe endpoint': 'asking the endpoint who answers',
  'Wait between probes': 'waiting between two probes',
  'Probe endpoint again': 'asking the endpoint again',
  'Judge probes': 'judging who answered',
  'Check request log': 'looking for answers of the release that was rolled back',
  'Wait for request log': 'waiting for the request log',
  'Verify rollback': 'recording whether the rollback is complete',
  'Plan drill': 'looking for what a rollback would go to',
  'Record readiness': 'checking objects and keys, and recording whether a rollback would work',
  'Repair predictions': 'repairing the predictions',
  // batch inference
  'Plan reconciliation': 'planning what has to be scored',
  'Score partitions': 'scoring partition batches',
  'Build daily shards': 'building batches of daily aggregates',
  'Build feature shards': 'building batches of features',
  'Score shards': 'scoring partition batches',
  'Publish rows of partitions': 'publishing rows for look-up, batches',
  'Publish predictions': 'publishing the predictions',
  'Report run': 'reporting the run',
};

/** What happens when it does not go the usual way: it is said while it happens, and never announced as what comes next. */
export const UNUSUAL: Readonly<Record<string, string>> = {
  'Reject run': 'rejecting the run',
  'Reject unfit data': 'rejecting the run: its data is not fit for training',
  'Reject untrained run': 'rejecting the run: nothing was trained',
  'Hold unmeasured': 'holding the candidates: no comparison is possible',
  'Reject candidates': 'rejecting the candidates',
  'Hold as inconclusive': 'holding the candidates: the comparison is inconclusive',
  'Refuse promotion': 'refusing the promotion',
  'Roll back': 'rolling back',
  'Record refusal': 'recording the refusal',
  'Record failure': 'recording the failure',
  'Report idle run': 'reporting that nothing had to be done',
};

/** The words for a state; a state of another version of the machines is said by its name. */
export function wordsOf(state: string): string {
  return LABELS[state] ?? UNUSUAL[state] ?? state;
}
