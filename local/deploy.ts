import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { ICloudAssemblySource, IIoHost, IoMessage, Toolkit } from '@aws-cdk/toolkit-lib';
import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { issuerUrl } from './ci/issuer.ts';
import type { LocalCloud } from './emulator/cloud.ts';

const REPOSITORY = join(import.meta.dirname, '..');
// Stacks of one account that do not depend on each other; more of them only queue at the emulator.
const STACKS_AT_ONCE = 4;

/** What happens to a stack while it is deployed. */
export interface DeployProgress {
  readonly account: string;
  /** The stack's path in the app (`dev/Registry`), or undefined for the account's bootstrap. */
  readonly stack: string | undefined;
  readonly step: 'bootstrapping' | 'bootstrapped' | 'deploying' | 'deployed';
  readonly milliseconds?: number;
}

/** A stack as it stands after the deployment. */
export interface DeployedStack {
  readonly path: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** What is deployed where. */
export interface DeployOptions {
  readonly cloud: LocalCloud;
  /** Patterns of stack paths, such as `dev/**`; default: every stack. */
  readonly stacks?: readonly string[];
  /** The command that synthesises; default: the one of `cdk.json`. */
  readonly app?: string;
  /** Context of the app beside that of `cdk.json`. */
  readonly context?: Readonly<Record<string, string>>;
  readonly onProgress?: (progress: DeployProgress) => void;
}

/**
 * Deploys the CDK app to a local cloud, as it would be deployed to AWS: each account is bootstrapped and deployed with
 * its own key and trusts nobody else. Accounts are worked at side by side.
 */
export async function deployLocally(options: DeployOptions): Promise<readonly DeployedStack[]> {
  const { cloud } = options;
  // The toolkit's SDK reads the endpoint from this process's environment only; nothing of the user's own AWS set-up may
  // direct it elsewhere.
  const restore = overrideEnvironment({
    ...cloud.environment,
    // The app is TypeScript that Node 24 runs as it stands.
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    CDK_HOME: join(cloud.home, 'cdk'),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_PROFILE: undefined,
    AWS_SESSION_TOKEN: undefined,
  });
  try {
    const cdk = await import('@aws-cdk/toolkit-lib');
    const deployments = new Deployments(options, cdk);
    return await deployments.run();
  } finally {
    restore();
  }
}

type Cdk = typeof import('@aws-cdk/toolkit-lib');

class Deployments {
  readonly #options: DeployOptions;
  readonly #cdk: Cdk;

  constructor(options: DeployOptions, cdk: Cdk) {
    this.#options = options;
    this.#cdk = cdk;
  }

  async run(): Promise<readonly DeployedStack[]> {
    const {
      cloud,
      app = z.object({ app: z.string() }).parse(JSON.parse(readFileSync(join(REPOSITORY, 'cdk.json'), 'utf8'))).app,
    } = this.#options;
    // One folder per app: the toolkit locks it.
    const outdir = join(cloud.home, 'cdk', 'out', createHash('sha256').update(app).digest('hex').slice(0, 12));
    mkdirSync(outdir, { recursive: true });
    const said: string[] = [];
    const toolkit = this.#toolkit(cloud.controlAccount, (message) => void said.push(message.message));
    const source = await toolkit.fromCdkApp(app, {
      workingDirectory: REPOSITORY,
      outdir,
      resolveDefaultEnvironment: false,
      lookups: false,
      contextStore: new this.#cdk.CdkAppMultiContext(REPOSITORY, {
        // Native code is the host's, which is what runs it.
        'gatehouse:platform': `${process.platform}-${process.arch}`,
        'gatehouse:issuer': issuerUrl(cloud.sagemakerEndpoint),
        ...this.#options.context,
      }),
    });
    const assembly = await toolkit.synth(source).catch((error: unknown) => {
      throw new GatehouseError(
        'LOCAL_SYNTH_FAILED',
        `"${app}" does not synthesise: ${reasonOf(error)}\n${said.slice(-20).join('\n')}`,
        { app },
        error,
      );
    });
    try {
      const selected = await toolkit.list(assembly, { stacks: this.#selector(this.#options.stacks ?? ['**']) });
      const accounts = Map.groupBy(selected, ({ environment }) => environment.account);
      const results = await Promise.all(
        [...accounts].map(([account, stacks]) =>
          this.#account(
            assembly,
            account,
            stacks.map(({ id }) => pathOf(id)),
          ),
        ),
      );
      return results.flat();
    } finally {
      await assembly.dispose();
    }
  }

  async #account(
    assembly: ICloudAssemblySource,
    account: string,
    stacks: readonly string[],
  ): Promise<readonly DeployedStack[]> {
    const { cloud, onProgress } = this.#options;
    const failures: string[] = [];
    const began = new Map<string, number>();
    const toolkit = this.#toolkit(account, (message) => {
      const failure = failureOf(message);
      if (failure !== undefined) failures.push(failure);
      const stack = startedStack(message);
      if (stack !== undefined && !began.has(stack)) {
        began.set(stack, performance.now());
        onProgress?.({ account, stack, step: 'deploying' });
      }
    });
    onProgress?.({ account, stack: undefined, step: 'bootstrapping' });
    const start = performance.now();
    const environment = this.#cdk.BootstrapEnvironments.fromList([`aws://${account}/${cloud.region}`]);
    const explain = (error: unknown): never => {
      // A failed resource cancels others; what was said first is the cause.
      const why = failures[0] ?? reasonOf(error).replace(/^❌\s*/u, '');
      throw new GatehouseError(
        'LOCAL_DEPLOY_FAILED',
        `account ${account}: ${why}; the emulator's log is ${join(cloud.home, 'logs', 'emulator.log')}`,
        { account, failures },
        error,
      );
    };
    const parameters = this.#cdk.BootstrapStackParameters.exactly({
      cloudFormationExecutionPolicies: ['arn:aws:iam::aws:policy/AdministratorAccess'],
    });
    await toolkit.bootstrap(environment, { parameters }).catch(explain);
    onProgress?.({ account, stack: undefined, step: 'bootstrapped', milliseconds: performance.now() - start });
    const { stacks: deployed } = await toolkit
      .deploy(assembly, {
        stacks: this.#selector(stacks),
        concurrency: STACKS_AT_ONCE,
        // The emulator answers at once; the default of two seconds would be most of the time.
        stackEventPollingInterval: 50,
        assetBuildTime: this.#cdk.AssetBuildTime.JUST_IN_TIME,
        assetBuildConcurrency: 4,
        deploymentMethod: { method: 'direct' },
      })
      .catch(explain);
    return deployed.map((stack) => {
      const path = pathOf(stack.hierarchicalId);
      onProgress?.({
        account,
        stack: path,
        step: 'deployed',
        milliseconds: performance.now() - (began.get(path) ?? start),
      });
      return { path, name: stack.stackName, account, region: stack.environment.region, outputs: stack.outputs };
    });
  }

  #selector(patterns: readonly string[]) {
    return {
      strategy: this.#cdk.StackSelectionStrategy.PATTERN_MUST_MATCH,
      patterns: [...patterns],
      failOnEmpty: true,
      expand: this.#cdk.ExpandStackSelection.NONE,
    };
  }

  #toolkit(account: string, listen: (message: IoMessage<unknown>) => void): Toolkit {
    const ioHost: IIoHost = {
      notify: async (message) => listen(message),
      requestResponse: async (request) => request.defaultResponse,
    };
    const provider = async () => ({ accessKeyId: account, secretAccessKey: 'test' });
    return new this.#cdk.Toolkit({
      ioHost,
      color: false,
      emojis: false,
      sdkConfig: {
        baseCredentials: this.#cdk.BaseCredentials.custom({ provider, region: this.#options.cloud.region }),
      },
    });
  }
}

const StackEvent = z.object({
  event: z.object({
    LogicalResourceId: z.string(),
    ResourceType: z.string(),
    ResourceStatus: z.string(),
    ResourceStatusReason: z.string().optional(),
    StackName: z.string(),
  }),
});

// The toolkit reports CloudFormation's events with this code.
function failureOf(message: IoMessage<unknown>): string | undefined {
  if (message.code !== 'CDK_TOOLKIT_I5502') return undefined;
  const activity = StackEvent.safeParse(message.data);
  if (!activity.success || !activity.data.event.ResourceStatus.endsWith('FAILED')) return undefined;
  const {
    StackName,
    LogicalResourceId,
    ResourceType,
    ResourceStatusReason = 'no reason was given',
  } = activity.data.event;
  return `${StackName}: ${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason}`;
}

const StackStart = z.object({ stack: z.object({ hierarchicalId: z.string() }) });

function startedStack(message: IoMessage<unknown>): string | undefined {
  if (message.code !== 'CDK_TOOLKIT_I5100') return undefined;
  const start = StackStart.safeParse(message.data);
  return start.success ? pathOf(start.data.stack.hierarchicalId) : undefined;
}

// `dev/Registry (gatehouse-dev-registry)` is how the toolkit shows a stack whose name differs from its path.
const pathOf = (id: string): string => id.replace(/ \(.*\)$/, '');

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function overrideEnvironment(values: Readonly<Record<string, string | undefined>>): () => void {
  const previous = Object.keys(values).map((name) => [name, process.env[name]] as const);
  for (const [name, value] of Object.entries(values)) set(name, value);
  return () => {
    for (const [name, value] of previous) set(name, value);
  };
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
