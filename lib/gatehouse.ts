import { ENVIRONMENTS, type Environment } from '#domain/environment/environment.ts';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type App, Stage, Tags } from 'aws-cdk-lib';
import ownership from '../governance/ownership.ts';
import { compileDeployment } from '#model/compile-deployment.ts';
import { type Config, isIsolated } from '#model/config.ts';
import { namesOf } from '#model/names.ts';
import { bundleFunctions, type Platform } from './bundle.ts';
import { ControlStack } from './stacks/control-stack.ts';
import { InferenceStack } from './stacks/inference-stack.ts';
import { LakeStack } from './stacks/lake-stack.ts';
import { OperationsStack } from './stacks/operations-stack.ts';
import { RegistryStack } from './stacks/registry-stack.ts';
import { ReleaseStack } from './stacks/release-stack.ts';
import { TrainingStack } from './stacks/training-stack.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The whole of Gatehouse: one stage per environment, so that `cdk deploy "prod/**"` is one environment. Context:
 * `gatehouse:models`, folders with models beside `models/`, separated by commas; `gatehouse:governance`, the folder of the policy floor; `gatehouse:platform`, what native code
 * is bundled for (`linux-x64`); `gatehouse:issuer`, an issuer of CI's tokens that only the local cloud has; `gatehouse:commit`, the
 * commit that is deployed, where the sources are no repository.
 */
export async function gatehouse(app: App, config: Config): Promise<void> {
  const context = (name: string, otherwise: string): string =>
    String(app.node.tryGetContext(`gatehouse:${name}`) ?? otherwise);
  const commit = context('commit', '');
  const governance = resolve(ROOT, context('governance', 'governance'));
  const folders = context('models', 'models').split(',');
  const deployed = await compileDeployment(ROOT, config, folders, commit, governance);
  const platform = context('platform', 'linux-x64') as Platform;
  const issuer = context('issuer', '');
  const ci = issuer === '' ? [] : [{ name: 'local', issuer, audience: 'gatehouse', server: issuer }];
  const bundleOf = bundleFunctions(ROOT, deployed, platform, config.people);
  addEnvironments(app, { ...config, ci: [...config.ci, ...ci] }, { deployed, bundleOf, platform });
}

/** The stages of all environments, with what was compiled and bundled for them. */
export function addEnvironments(
  app: App,
  config: Config,
  { deployed, bundleOf, platform }: Pick<StackProperties, 'deployed' | 'bundleOf'> & { readonly platform: Platform },
): void {
  for (const environment of ENVIRONMENTS) {
    const names = namesOf(config, environment);
    const { account, region } = names;
    const stage = new Stage(app, environment, { env: { account, region }, stageName: `gatehouse-${environment}` });
    const context = {
      config,
      deployed,
      names,
      bundleOf,
      logDays: config.retention.logDays,
      architecture: platform.endsWith('arm64') ? 'arm64' : 'x86_64',
    } as const;
    Tags.of(stage).add('gatehouse:environment', environment);
    Tags.of(stage).add('gatehouse:isolated', String(isIsolated(config)));
    stacksOf(stage, environment, context);
  }
}

type StackProperties = ConstructorParameters<typeof TrainingStack>[2] extends infer Props
  ? Omit<Props & object, 'features' | 'score'>
  : never;

function stacksOf(stage: Stage, environment: Environment, context: StackProperties): void {
  const { acts } = ownership;
  if (environment === 'control') {
    const control = new ControlStack(stage, 'Control', { ...context, environment, acts });
    new OperationsStack(stage, 'Operations', { ...context, environment, acts }).addStackDependency(control);
    return;
  }
  const registry = new RegistryStack(stage, 'Registry', { ...context, environment });
  const lake = new LakeStack(stage, 'Lake', { ...context, trains: environment === 'dev' });
  lake.addStackDependency(registry);
  const shared = { ...context, features: lake.features, score: lake.score };
  if (environment === 'dev') {
    const training = new TrainingStack(stage, 'Training', shared);
    training.addStackDependency(lake);
    new OperationsStack(stage, 'Operations', { ...context, environment, acts }).addStackDependency(training);
    return;
  }
  const inference = new InferenceStack(stage, 'Inference', shared);
  inference.addStackDependency(lake);
  const { prober, servingTests } = inference;
  const release = new ReleaseStack(stage, 'Release', { ...shared, environment, prober, servingTests });
  release.addStackDependency(inference);
  new OperationsStack(stage, 'Operations', { ...context, environment, acts }).addStackDependency(release);
}
