import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job } from './job.ts';

// An emulator that is being started or restarted answers within seconds; one that was stopped never does.
const ATTEMPTS = 60;

/** Tells the account of a job what became of it: state-change events on its bus, and its log in CloudWatch Logs. */
export class Notices {
  readonly #endpoint: string;
  readonly #region: string;
  // Per job, so that events arrive in the order of the changes.
  readonly #queues = new Map<string, Promise<void>>();

  constructor(endpoint: string, region: string) {
    this.#endpoint = endpoint;
    this.#region = region;
  }

  /** Puts the event of a job's current state on its account's default bus. */
  stateChanged(job: Job): Promise<void> {
    const entry = {
      Source: 'aws.sagemaker',
      DetailType: `SageMaker ${job.kind === 'training' ? 'Training' : 'Processing'} Job State Change`,
      Resources: [job.arn],
      Detail: JSON.stringify(eventDetail(job)),
    };
    return this.#after(job, async () => {
      const client = new EventBridgeClient({
        endpoint: this.#endpoint,
        region: this.#region,
        credentials: { accessKeyId: job.account, secretAccessKey: 'test' },
      });
      const { FailedEntryCount, Entries } = await client.send(new PutEventsCommand({ Entries: [entry] }));
      if (FailedEntryCount !== 0) throw new Error(`the bus refused an event: ${JSON.stringify(Entries)}`);
    });
  }

  /** Puts a job's log where AWS puts it: group `/aws/sagemaker/TrainingJobs`, stream `<job>/algo-1-<time>`. */
  logged(job: Job, text: string): Promise<void> {
    const logGroupName = `/aws/sagemaker/${job.kind === 'training' ? 'TrainingJobs' : 'ProcessingJobs'}`;
    const logStreamName = `${job.name}/algo-1-${Math.floor(job.createdAt / 1000)}`;
    // The API takes at most 10,000 events of 256 KiB at once.
    const lines = text.trimEnd().split('\n').slice(-10_000);
    const logEvents = lines.map((line) => ({ timestamp: job.modifiedAt, message: line.slice(0, 200_000) || ' ' }));
    return this.#after(job, async () => {
      await this.#logs(job.account, 'CreateLogGroup', { logGroupName });
      await this.#logs(job.account, 'CreateLogStream', { logGroupName, logStreamName });
      await this.#logs(job.account, 'PutLogEvents', { logGroupName, logStreamName, logEvents });
    });
  }

  #after(job: Job, work: () => Promise<void>): Promise<void> {
    const next = (this.#queues.get(job.arn) ?? Promise.resolve()).then(() => persevere(work, job.arn));
    this.#queues.set(job.arn, next);
    return next;
  }

  async #logs(account: string, operation: string, input: unknown): Promise<void> {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `Logs_20140328.${operation}`,
        // The emulator reads the account from here and checks no signature.
        authorization: `AWS4-HMAC-SHA256 Credential=${account}/${day}/${this.#region}/logs/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    });
    const answer = await response.text();
    if (!response.ok && !answer.includes('ResourceAlreadyExists')) throw new Error(`${operation}: ${answer}`);
  }
}

async function persevere(work: () => Promise<void>, what: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) {
        console.error(`gave up telling about ${what}`, error);
        return;
      }
    }
    await pause(Math.min(100 * attempt, 1_000));
  }
}

function eventDetail(job: Job): Record<string, unknown> {
  const times = { CreationTime: job.createdAt, LastModifiedTime: job.modifiedAt };
  const reason = { FailureReason: job.failureReason ?? '' };
  if (job.kind === 'processing') {
    return {
      ...job.request,
      ProcessingJobName: job.name,
      ProcessingJobArn: job.arn,
      ProcessingJobStatus: job.status,
      ...(job.startedAt !== undefined && { ProcessingStartTime: job.startedAt }),
      ...(job.endedAt !== undefined && { ProcessingEndTime: job.endedAt }),
      ...(job.exitMessage !== undefined && { ExitMessage: job.exitMessage }),
      ...reason,
      ...times,
      Tags: tags(job),
    };
  }
  return {
    ...job.request,
    TrainingJobName: job.name,
    TrainingJobArn: job.arn,
    TrainingJobStatus: job.status,
    SecondaryStatus: job.secondaryStatus,
    ...(job.modelArtifacts !== undefined && { ModelArtifacts: { S3ModelArtifacts: job.modelArtifacts } }),
    HyperParameters: job.request.HyperParameters ?? {},
    ...(job.startedAt !== undefined && { TrainingStartTime: job.startedAt }),
    ...(job.endedAt !== undefined && { TrainingEndTime: job.endedAt }),
    SecondaryStatusTransitions: job.transitions.map(({ status, start, end, message }) => ({
      Status: status,
      StartTime: start,
      ...(end !== undefined && { EndTime: end }),
      StatusMessage: message,
    })),
    ...reason,
    ...times,
    Tags: tags(job),
  };
}

const tags = (job: Job): Record<string, string> =>
  Object.fromEntries((job.request.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
