import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { hasChain } from '#read-model/chain.ts';
import type { Run } from '../../context.ts';
import { modelNames } from '../../references.ts';
import { type Section, shortDigest, shortTime } from '../../report.ts';
import { releaseStatuses, type ReleaseStatus } from '../status/collect.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName.optional() }));
  // Asking dev first says at once when it is not deployed.
  const dev = context.cloud('dev').ledger;
  const models = model === undefined ? await modelNames(context) : [model];
  await Promise.all(models.map((name) => hasChain(dev, name)));
  const releases = await Promise.all(
    models.map(async (name) => ({ model: name, releases: await releaseStatuses(context, name, Infinity) })),
  );
  context.print({
    data: { models: releases },
    sections: releases.map(({ model, releases }) => releaseSection(model, releases)),
  });
};

/** The releases of a model as a table. */
export function releaseSection(model: string, releases: readonly ReleaseStatus[]): Section {
  return {
    title: model,
    columns: ['version', 'release', 'kind', 'stage', 'owner', 'registered'],
    rows: releases.map(({ version, release, kind, stage, owner, at }) => [
      version,
      shortDigest(release),
      kind,
      stage,
      owner,
      shortTime(at),
    ]),
    empty: 'no release is registered',
  };
}
