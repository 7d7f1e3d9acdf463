import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { canIsolate, layoutOf, prepare, readNote, run, type Layout, type Running } from './container.ts';
import { findLocalImage } from './images.ts';
import { enter, hasEnded, type Job, type JobStore, type SecondaryStatus } from './job.ts';
import type { Notices } from './notices.ts';
import { filesOf, pack, Storage } from './storage.ts';

// AWS's default where a request states none.
const DEFAULT_RUNTIME_SECONDS = 86_400;

/** What the runner needs to know of the local cloud. */
export interface RunnerContext {
  readonly home: string;
  readonly endpoint: string;
  readonly region: string;
}

/** A failure whose reason is told to the caller, in AWS's form `<kind>: <what>`. */
class JobFailure extends Error {}

/** Carries jobs from Starting to their end: at most one per core at a time, the others wait in Starting. */
export class Runner {
  readonly #context: RunnerContext;
  readonly #store: JobStore;
  readonly #notices: Notices;
  readonly #waiting: Job[] = [];
  readonly #running = new Map<Job, Running | undefined>();

  constructor(context: RunnerContext, store: JobStore, notices: Notices) {
    this.#context = context;
    this.#store = store;
    this.#notices = notices;
  }

  /** Fails the jobs that a crash or a stop of the local cloud interrupted. */
  async recover(): Promise<void> {
    for (const job of this.#store.all().filter((each) => !hasEnded(each))) {
      job.failureReason = 'InternalServerError: the local cloud was stopped while the job ran; start a new one';
      this.#enter(job, 'Failed');
      await rm(this.#layout(job).root, { recursive: true, force: true });
    }
  }

  /** Takes a new job. */
  submit(job: Job): void {
    this.#enter(job, 'Starting');
    this.#waiting.push(job);
    this.#next();
  }

  /** Stops a job: one that waits at once, one that runs by a signal; its artifacts so far are kept, as on AWS. */
  stop(job: Job): void {
    this.#enter(job, 'Stopping');
    const index = this.#waiting.indexOf(job);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      this.#enter(job, 'Stopped');
      return;
    }
    this.#running.get(job)?.stop();
  }

  /** Ends every program at once; the records say so at the next start. */
  killAll(): void {
    for (const running of this.#running.values()) running?.kill();
  }

  #next(): void {
    while (this.#running.size < availableParallelism()) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#running.set(job, undefined);
      void this.#carry(job).finally(() => {
        this.#running.delete(job);
        this.#next();
      });
    }
  }

  async #carry(job: Job): Promise<void> {
    const layout = this.#layout(job);
    let end: SecondaryStatus;
    try {
      end = await this.#execute(job, layout);
    } catch (error) {
      const told = error instanceof JobFailure ? error.message : `InternalServerError: ${String(error)}`;
      job.failureReason = told.slice(0, 1024);
      end = job.status === 'Stopping' ? 'Stopped' : 'Failed';
      console.error(`${job.arn} ${end}`, error);
    }
    const log = await readFile(this.#log(job), 'utf8').catch(() => '');
    await rm(layout.root, { recursive: true, force: true });
    if (log !== '') void this.#notices.logged(job, log);
    this.#enter(job, end);
  }

  async #execute(job: Job, layout: Layout): Promise<SecondaryStatus> {
    const { home, endpoint, region } = this.#context;
    const storage = new Storage(endpoint, region, job.account);
    const uri =
      job.kind === 'training'
        ? job.request.AlgorithmSpecification.TrainingImage
        : job.request.AppSpecification.ImageUri;
    const image = findLocalImage(home, uri);
    if (image === undefined || !existsSync(image.folder)) {
      throw new JobFailure(
        `ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect. (No local command is registered for ${uri} in ${join(home, 'images.json')}.)`,
      );
    }
    await mkdir(layout.root, { recursive: true });
    await prepare(job, layout);
    this.#enter(job, 'Downloading');
    await download(job, layout, storage);
    if (isStopping(job)) return 'Stopped';
    this.#enter(job, 'Training');
    const wanted =
      job.kind === 'training' ? job.request.EnableNetworkIsolation : job.request.NetworkConfig?.EnableNetworkIsolation;
    const isolated = wanted === true && (await canIsolate());
    if (wanted === true && !isolated) {
      await appendFile(
        this.#log(job),
        'NOT ISOLATED: this machine has no user namespaces (unshare -rnm), the network is reachable\n',
      );
    }
    const running = run(job, layout, { image, isolated, hidden: this.#hidden(), log: this.#log(job) });
    this.#running.set(job, running);
    if (isStopping(job)) running.stop();
    let exceeded = false;
    const seconds = job.request.StoppingCondition?.MaxRuntimeInSeconds ?? DEFAULT_RUNTIME_SECONDS;
    // setTimeout holds at most 2^31 - 1 milliseconds (24.8 days), AWS at most 28 days.
    const timer = setTimeout(
      () => {
        exceeded = true;
        running.stop();
      },
      Math.min(seconds * 1000, 2 ** 31 - 1),
    );
    const { code, signal } = await running.ended.finally(() => clearTimeout(timer));
    const cut = exceeded || isStopping(job);
    if (job.kind === 'processing') {
      const message = await readNote(layout.message);
      if (message !== undefined) job.exitMessage = message;
    }
    this.#enter(job, 'Uploading');
    await upload(job, layout, storage, cut || code === 0);
    if (isStopping(job)) return 'Stopped';
    if (exceeded) return 'MaxRuntimeExceeded';
    if (code === 0) return 'Completed';
    const note = (await readNote(layout.failure)) ?? '';
    throw new JobFailure(`AlgorithmError: ${note}, exit code: ${code}${signal === null ? '' : ` (${signal})`}`);
  }

  #enter(job: Job, status: SecondaryStatus): void {
    enter(job, status, Date.now());
    this.#store.save(job);
    void this.#notices.stateChanged(job);
  }

  #layout = (job: Job): Layout => layoutOf(join(this.#store.folderOf(job), 'root'));
  #log = (job: Job): string => join(this.#store.folderOf(job), 'algo-1.log');
  #hidden = (): string => join(this.#context.home, 'emulator');
}

// A function, because the status changes while the caller waits, which the compiler cannot see.
const isStopping = (job: Job): boolean => job.status === 'Stopping';

async function download(job: Job, layout: Layout, storage: Storage): Promise<void> {
  const inputs =
    job.kind === 'training'
      ? (job.request.InputDataConfig ?? []).map((channel) => ({
          ...channel.DataSource.S3DataSource,
          folder: layout.channel(channel.ChannelName),
        }))
      : (job.request.ProcessingInputs ?? []).map(({ S3Input }) => ({
          ...S3Input,
          folder: layout.inside(S3Input.LocalPath),
        }));
  for (const { S3DataType, S3Uri, folder } of inputs) {
    await storage.download(S3DataType, S3Uri, folder).catch((error: unknown) => {
      throw new JobFailure(
        `ClientError: Data download failed:${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }
}

// A job that failed leaves its failure file and output data; one that ended well or was stopped leaves its model too.
async function upload(job: Job, layout: Layout, storage: Storage, withModel: boolean): Promise<void> {
  try {
    if (job.kind === 'processing') {
      if (!withModel) return;
      for (const { S3Output } of job.request.ProcessingOutputConfig?.Outputs ?? []) {
        await storage.uploadFolder(layout.inside(S3Output.LocalPath), S3Output.S3Uri);
      }
      return;
    }
    const target = `${job.request.OutputDataConfig.S3OutputPath.replace(/\/$/, '')}/${job.name}/output`;
    if (withModel) {
      const archive = join(layout.root, 'model.tar.gz');
      await pack(layout.model, archive);
      await storage.upload(archive, `${target}/model.tar.gz`);
      job.modelArtifacts = `${target}/model.tar.gz`;
    }
    if ((await filesOf(layout.outputData)).length > 0 || existsSync(layout.failure)) {
      const archive = join(layout.root, 'output.tar.gz');
      await pack(join(layout.ml, 'output'), archive);
      await storage.upload(archive, `${target}/output.tar.gz`);
    }
  } catch (error) {
    throw new JobFailure(
      `ClientError: Artifact upload failed:${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
