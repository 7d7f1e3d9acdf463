import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnAlias,
  Code,
  Function as LambdaFunction,
  Runtime,
  type Version,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { isNative } from '#lib/bundle.ts';
import type { Names } from '#model/names.ts';
import type { Access } from './access.ts';

/** What every stack is given. */
export interface StackContext {
  readonly names: Names;
  /** Where a function's bundle is. */
  bundleOf(privilege: string): string;
  readonly logDays: number;
  readonly architecture: 'x86_64' | 'arm64';
}

export interface GatehouseFunctionProps extends StackContext {
  /** The folder below `lambdas/`: a function is a unit of privilege, memory and time-out. */
  readonly privilege: string;
  /** Its name, where several functions have the same privilege, each for a thing of its own. */
  readonly name?: string;
  readonly memoryMb?: number;
  readonly timeoutSeconds?: number;
  /** MB of `/tmp`, where it is more than the 512 that every function has. */
  readonly diskMb?: number;
  /** Concurrent executions that are its own, and all that it can have. */
  readonly reservedConcurrency?: number | undefined;
  /** Invoked asynchronously (by events): what fails for good goes into a dead-letter queue. */
  readonly isAsynchronous?: boolean;
}

/** A function of another stack, by the name under which it is shared. */
export interface SharedFunction {
  readonly sharedArn: string;
}

/** The alias of a shared function's newest version. */
const LIVE = 'live';

/** A function with its own role and log group; it may do nothing until something is bound to it. */
export class GatehouseFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
  private readonly names: Names;
  private readonly name: string;

  constructor(scope: Construct, id: string, props: GatehouseFunctionProps) {
    super(scope, id);
    const { names, privilege, name = privilege } = props;
    this.names = names;
    this.name = name;
    const functionName = names.functionName(name);
    this.logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: props.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      roleName: functionName,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [`${names.arn('logs', `log-group:/aws/lambda/${functionName}`)}:*`],
      }),
    );
    this.lambda = new LambdaFunction(this, 'Function', {
      functionName,
      role: this.role,
      runtime: Runtime.NODEJS_24_X,
      architecture: !isNative(privilege) || props.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code: Code.fromAsset(props.bundleOf(privilege)),
      handler: 'index.handler',
      memorySize: props.memoryMb ?? 512,
      timeout: Duration.seconds(props.timeoutSeconds ?? 60),
      ...(props.diskMb === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(props.diskMb) }),
      logGroup: this.logGroup,
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
      environment: { POWERTOOLS_SERVICE_NAME: privilege },
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
      ...(props.isAsynchronous === true
        ? {
            retryAttempts: 2,
            deadLetterQueue: new Queue(this, 'DeadLetters', {
              queueName: `${functionName}-dead-letters`,
              retentionPeriod: Duration.days(14),
              enforceSSL: true,
            }),
          }
        : {}),
    });
  }

  /** Gives rights together with the variables that name what they are for. */
  bind(...accesses: readonly Access[]): this {
    for (const { variables, statements } of accesses) {
      for (const [name, value] of Object.entries(variables)) this.lambda.addEnvironment(name, value);
      for (const statement of statements)
        this.role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, ...statement }));
    }
    return this;
  }

  /** The published version of this deployment: what machines invoke, so that a running saga keeps the code that it began with. */
  get version(): Version {
    return this.lambda.currentVersion;
  }

  /**
   * Lets machines of other stacks invoke this function, by a name that does not change: importing its version would
   * forbid ever deploying another one. Only for functions that decide nothing and write what is named by its content.
   */
  share(): SharedFunction {
    new CfnAlias(this, 'Live', {
      name: LIVE,
      functionName: this.lambda.functionName,
      functionVersion: this.version.version,
    });
    return { sharedArn: this.names.arn('lambda', `function:${this.names.functionName(this.name)}:${LIVE}`) };
  }
}
