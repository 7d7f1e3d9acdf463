import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { localCloudStatus } from '#local/emulator/cloud.ts';
import { type LocalImage, registerLocalImages } from '#local/sagemaker/images.ts';
import { compileModel } from '#model/compile.ts';
import { dataQualityImage } from '#model/data-quality-image.ts';

import type { Context, Run } from '../../context.ts';
import { refuse, UsageError } from '../../refusal.ts';
import { modelFolders, modelNames } from '../../references.ts';
import { duration } from '../../report.ts';
import { checkModels, errorsOf } from '../model/checked.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');

export const run: Run = async (context) => {
  const { environments: given } = context.input(z.object({ environments: z.array(z.string()) }));
  const environments = chosen(given);
  // Synthesis refuses it as well: here nobody has been asked yet, and no environment is half deployed.
  const errors = errorsOf(await checkModels(context, await modelNames(context)));
  if (errors.length > 0) refuse('model-valid', errors.join('; '), 'correct the named fields: gatehouse model check');
  const status = localCloudStatus(context.home);
  if (status.state === 'running') {
    const { deployLocally } = await import('#local/deploy.ts');
    await registerImages(context);
    const stacks = await deployLocally({
      cloud: status.cloud,
      stacks: environments.map((environment) => `${environment}/**`),
      context: contextOf(context),
      onProgress: ({ stack, step, milliseconds }) => {
        if (step === 'deployed') context.note(`  ${stack ?? ''} (${duration(milliseconds ?? 0)})`);
      },
    });
    await settle(context, environments);
    context.print({
      data: { environments, stacks },
      sections: [{ lines: [`deployed ${stacks.length} stacks to the local cloud: ${environments.join(', ')}`] }],
    });
    return;
  }
  await context.confirm(
    `Deploy ${environments.join(', ')} to ${environments.map((environment) => context.config.environments[environment].account).join(', ')}?`,
  );
  // One environment after the other, in the order in which releases travel: what goes wrong stays in the first.
  for (const environment of environments) await deployToAws(context, environment);
  await settle(context, environments);
  context.print({
    data: { environments },
    sections: [{ lines: [`deployed ${environments.join(', ')}; look: gatehouse smoke-test`] }],
  });
};

/** What synthesis is told: which models, and, where the sources are no clone of their repository, of which commit they are. */
function contextOf({ modelFolders: folders, governance, terminal }: Context): Readonly<Record<string, string>> {
  const commit = terminal.env['GATEHOUSE_COMMIT'];
  return {
    'gatehouse:models': folders.join(','),
    'gatehouse:governance': governance,
    ...(commit === undefined ? {} : { 'gatehouse:commit': commit }),
  };
}

/** Runs each reconciler once, so that the environments hear each other at once; one that fails never stops the others. */
async function settle(context: Context, environments: readonly Environment[]): Promise<void> {
  const failures: Record<string, string> = {};
  for (const environment of environments) {
    const { lambda, names } = context.cloud(environment);
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: names.functionName('reconciler'), Payload: '{}' }),
    );
    if (answer.FunctionError !== undefined) failures[environment] = new TextDecoder().decode(answer.Payload);
  }
  const failed = Object.keys(failures);
  if (failed.length === 0) return;
  const found = failed.map((environment) => `${environment}: ${failures[environment]}`).join('; ');
  throw new GatehouseError('RECONCILER_FAILED', `deployed, and the reconciler failed in ${found}`, { failures });
}

/** On a laptop an image stands for a command: the SageMaker subset looks it up here. */
export async function registerImages(context: Pick<Context, 'config' | 'home' | 'modelFolders'>): Promise<void> {
  const images: Record<string, LocalImage> = {
    [dataQualityImage(context.config)]: {
      command: ['python', 'validate.py'],
      folder: join(REPOSITORY, 'containers', 'data-quality'),
    },
  };
  for (const [name, folder] of await modelFolders(context)) {
    const { image, local } = (await compileModel(folder)).training;
    if (images[image] !== undefined) {
      refuse(
        'image-of-one-model',
        `${name} has the image of another model: ${image}`,
        `name its own image in ${folder}/model.ts`,
      );
    }
    images[image] = { command: [...local], folder };
  }
  registerLocalImages(context.home, images);
}

/** The environments that were named, or all of them. */
export function chosen(given: readonly string[]): readonly Environment[] {
  const unknown = given.find((name) => !ENVIRONMENTS.some((environment) => environment === name));
  if (unknown !== undefined) throw new UsageError(`${unknown} is no environment: expected ${ENVIRONMENTS.join(', ')}`);
  return given.length === 0 ? ENVIRONMENTS : ENVIRONMENTS.filter((environment) => given.includes(environment));
}

/** The CDK CLI's arguments for an environment: consent has been given, so that it asks for none. */
export function cdkArguments(
  environment: Environment,
  profile: string | undefined,
  told: Readonly<Record<string, string>>,
): readonly string[] {
  return [
    'deploy',
    `${environment}/**`,
    '--require-approval',
    'never',
    ...Object.entries(told).flatMap(([name, value]) => ['--context', `${name}=${value}`]),
    ...(profile === undefined ? [] : ['--profile', profile]),
  ];
}

function deployToAws(context: Context, environment: Environment): Promise<void> {
  const profile = context.profile ?? context.config.environments[environment].profile;
  const cdk = join(REPOSITORY, 'node_modules', '.bin', 'cdk');
  return new Promise((resolve, reject) => {
    // Standard output is this command's result; what CDK tells goes beside it.
    const child = spawn(cdk, [...cdkArguments(environment, profile, contextOf(context))], {
      cwd: REPOSITORY,
      stdio: ['inherit', 2, 2],
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new GatehouseError('DEPLOY_FAILED', `cdk ended with code ${code ?? 'none'} for ${environment}`, {
            environment,
          }),
        );
    });
  });
}
