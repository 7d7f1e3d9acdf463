import { z } from 'zod';

/** An error of SageMaker's API: the type that the SDK turns into an exception's name, and its message. */
export class ApiError extends Error {
  readonly type: string;

  constructor(
    type:
      | 'ValidationException'
      | 'ResourceInUse'
      | 'ResourceNotFound'
      | 'UnknownOperationException'
      | 'AccessDeniedException',
    message: string,
  ) {
    super(message);
    this.type = type;
  }
}

const pattern = (regex: RegExp): z.ZodString =>
  z.string().regex(regex, `Member must satisfy regular expression pattern: ${regex.source.replace(/^\^|\$$/g, '')}`);
const atMost = <T extends z.ZodType>(schema: z.ZodArray<T>, count: number): z.ZodArray<T> =>
  schema.max(count, `Member must have length less than or equal to ${count}`);

const JobName = pattern(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
const RoleArn = pattern(/^arn:aws[a-z-]*:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/);
const S3Uri = pattern(/^(https|s3):\/\/([^/]+)\/?(.*)$/);
const Tags = atMost(z.array(z.looseObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })), 50);
const Variables = z.record(pattern(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string().max(512));
const Runtime = z.int().min(1, 'Member must have value greater than or equal to 1').max(2_419_200);
const Command = z.array(z.string().max(256)).min(1).max(100);
const InstanceCount = z.int().min(1, 'Member must have value greater than or equal to 1');
const InstanceType = pattern(/^ml\.[a-z0-9-]+\.[a-z0-9-]+$/);

const S3DataType = z.enum(['S3Prefix', 'ManifestFile']);
const Channel = z.looseObject({
  ChannelName: pattern(/^[A-Za-z0-9.\-_]+$/).max(64),
  DataSource: z.looseObject({ S3DataSource: z.looseObject({ S3DataType, S3Uri }) }),
  InputMode: z.enum(['File', 'FastFile']).optional(),
  CompressionType: z.enum(['None']).optional(),
});

/** The part of CreateTrainingJob that is served; what else a request holds is kept and described, as AWS does. */
export const CreateTrainingJob = z.looseObject({
  TrainingJobName: JobName,
  AlgorithmSpecification: z.looseObject({
    TrainingImage: z.string().min(1).max(255),
    TrainingInputMode: z.enum(['File', 'FastFile']),
    ContainerEntrypoint: Command.optional(),
    ContainerArguments: Command.optional(),
  }),
  RoleArn,
  InputDataConfig: atMost(z.array(Channel).min(1), 20).optional(),
  OutputDataConfig: z.looseObject({ S3OutputPath: S3Uri }),
  ResourceConfig: z.looseObject({ InstanceType, InstanceCount, VolumeSizeInGB: z.int().min(1) }),
  StoppingCondition: z.looseObject({ MaxRuntimeInSeconds: Runtime.optional() }),
  HyperParameters: z.record(z.string().max(256), z.string().max(2500)).optional(),
  Environment: Variables.optional(),
  EnableNetworkIsolation: z.boolean().optional(),
  Tags: Tags.optional(),
});
export type CreateTrainingJob = z.infer<typeof CreateTrainingJob>;

const LocalPath = pattern(/^\/opt\/ml\/processing(\/.*)?$/);

/** The part of CreateProcessingJob that is served. */
export const CreateProcessingJob = z.looseObject({
  ProcessingJobName: JobName,
  AppSpecification: z.looseObject({
    ImageUri: z.string().min(1).max(255),
    ContainerEntrypoint: Command.optional(),
    ContainerArguments: Command.optional(),
  }),
  RoleArn,
  ProcessingInputs: z
    .array(
      z.looseObject({
        InputName: z.string().min(1),
        S3Input: z.looseObject({ S3Uri, LocalPath, S3DataType, S3InputMode: z.enum(['File']).optional() }),
      }),
    )
    .max(10)
    .optional(),
  ProcessingOutputConfig: z
    .looseObject({
      Outputs: z
        .array(
          z.looseObject({
            OutputName: z.string().min(1),
            S3Output: z.looseObject({ S3Uri, LocalPath, S3UploadMode: z.enum(['EndOfJob']) }),
          }),
        )
        .max(10),
    })
    .optional(),
  ProcessingResources: z.looseObject({
    ClusterConfig: z.looseObject({ InstanceType, InstanceCount, VolumeSizeInGB: z.int().min(1) }),
  }),
  StoppingCondition: z.looseObject({ MaxRuntimeInSeconds: Runtime }).optional(),
  Environment: Variables.optional(),
  NetworkConfig: z.looseObject({ EnableNetworkIsolation: z.boolean().optional() }).optional(),
  Tags: Tags.optional(),
});
export type CreateProcessingJob = z.infer<typeof CreateProcessingJob>;

/** Describe and Stop name one training job. */
export const TrainingJobName = z.looseObject({ TrainingJobName: JobName });
/** Describe and Stop name one processing job. */
export const ProcessingJobName = z.looseObject({ ProcessingJobName: JobName });

/** ListTrainingJobs: filters, order and page. Times are seconds since 1970. */
export const ListTrainingJobs = z.looseObject({
  NameContains: z.string().optional(),
  StatusEquals: z.enum(['InProgress', 'Completed', 'Failed', 'Stopping', 'Stopped']).optional(),
  CreationTimeAfter: z.number().optional(),
  CreationTimeBefore: z.number().optional(),
  SortBy: z.enum(['Name', 'CreationTime', 'Status']).optional(),
  SortOrder: z.enum(['Ascending', 'Descending']).optional(),
  MaxResults: z.int().min(1).max(100).optional(),
  NextToken: z.string().regex(/^\d+$/).optional(),
});
export type ListTrainingJobs = z.infer<typeof ListTrainingJobs>;

/** Parses a request; what does not fit is refused in AWS's words, all of it at once. */
export function parseRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const found = result.error.issues.map((issue) => {
    const value = issue.path.reduce<unknown>((part, key) => (isRecord(part) ? part[String(key)] : undefined), body);
    const where = issue.path.map((part) => (typeof part === 'number' ? part + 1 : lowerFirst(String(part)))).join('.');
    const constraint = value === undefined ? 'Member must not be null' : issue.message;
    const shown = value === undefined ? 'null' : `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;
    return `Value ${shown} at '${where}' failed to satisfy constraint: ${constraint}`;
  });
  const count = `${found.length} validation error${found.length === 1 ? '' : 's'} detected`;
  throw new ApiError('ValidationException', `${count}: ${found.join('; ')}`);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
