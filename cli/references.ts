import type { Environment } from '#domain/environment/environment.ts';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '#domain/canonical/digest.ts';
import { nearestOf } from '#domain/issues.ts';
import { ModelName } from '#domain/model/definition.ts';
import { Version } from '#domain/release/registration.ts';

import type { ReadableLedger } from '#ports/ledger.ts';
import { hasChain } from '#read-model/chain.ts';
import { findVersion, readRegistrations } from '#read-model/registrations.ts';
import type { Context } from './context.ts';
import { RefusedError, refuse, UsageError } from './refusal.ts';

/** A release as a person names one. */
export type ReleaseReference =
  | { readonly kind: 'version'; readonly model: string; readonly version: string }
  | { readonly kind: 'digest'; readonly prefix: string };

/** A release that was found. */
export interface FoundRelease {
  readonly model: string;
  readonly release: Digest;
  readonly version: string;
}

/** The fewest digits of a digest that name a release. */
const SHORTEST = 8;

/** Reads `model@1.2.3`, `sha256:<digest>` or the beginning of a digest. */
export function parseReference(text: string): ReleaseReference {
  const digest = /^(?:sha256:)?([0-9a-f]+)$/.exec(text)?.[1];
  if (digest !== undefined && digest.length >= SHORTEST && digest.length <= 64)
    return { kind: 'digest', prefix: `sha256:${digest}` };
  const [model, version, ...rest] = text.split('@');
  if (rest.length === 0 && ModelName.safeParse(model).success && Version.safeParse(version).success) {
    return { kind: 'version', model: model ?? '', version: version ?? '' };
  }
  throw new UsageError(`${text} names no release: expected model@1.2.3 or sha256:<at least ${SHORTEST} digits>`);
}

/** The release that a reference names, as dev registered it. */
export async function findRelease(
  ledger: ReadableLedger,
  reference: ReleaseReference,
  models: readonly string[],
): Promise<FoundRelease> {
  if (reference.kind === 'version') {
    const { model, version } = reference;
    const release = await findVersion(ledger, model, version);
    if (release !== undefined) return { model, version, release };
    if (!models.includes(model)) unknownModel(model, models);
    return refuse(
      'release-known',
      `no release ${model}@${version} is registered`,
      `see: gatehouse release list ${model}`,
    );
  }
  const found: FoundRelease[] = [];
  for (const model of models) {
    const registrations = await readRegistrations(ledger, model);
    found.push(...registrations.filter(({ release }) => release.startsWith(reference.prefix)));
  }
  const [only, ...others] = found;
  if (only === undefined)
    return refuse('release-known', `no release ${reference.prefix} is registered`, 'see: gatehouse release list');
  if (others.length === 0) return { model: only.model, release: only.release, version: only.version };
  return refuse('release-unique', `${reference.prefix} begins ${found.length} digests`);
}

/** The model folders that there are, by the names of their models. */
export async function modelFolders(context: Pick<Context, 'modelFolders'>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const root of context.modelFolders) {
    for (const name of await readdir(root).catch(() => [])) {
      const folder = join(root, name);
      const file = await stat(join(folder, 'model.ts')).catch(() => undefined);
      if (file?.isFile() === true) found.set(name, folder);
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The names of the models that there are. */
export async function modelNames(context: Pick<Context, 'modelFolders'>): Promise<readonly string[]> {
  return [...(await modelFolders(context)).keys()];
}

/** Refuses a name that no model has, with the nearest one and those that there are. */
export function unknownModel(model: string, names: readonly string[]): never {
  const nearest = nearestOf(model, names);
  return refuse(
    'model-known',
    `there is no model ${model}; there are: ${names.join(', ') || 'none'}`,
    nearest === undefined ? `make one: gatehouse model new ${model}` : `did you mean ${nearest}?`,
  );
}

/** The folder of a model, or a refusal that names those that there are. */
export async function modelFolder(context: Pick<Context, 'modelFolders'>, model: string): Promise<string> {
  const folders = await modelFolders(context);
  return folders.get(model) ?? unknownModel(model, [...folders.keys()]);
}

/** Refuses a model that has no folder here and no audit trail in an environment: a model whose folder is gone keeps its past. */
export async function mustBeKnown(
  context: Pick<Context, 'modelFolders' | 'cloud'>,
  model: string,
  environment: Environment,
): Promise<void> {
  const names = await modelNames(context);
  if (names.includes(model)) return;
  if (!(await isRecorded(context.cloud(environment).ledger, model))) unknownModel(model, names);
}

/** Whether a ledger has a chain of a model; it has none where it is not deployed or not open to the caller. */
async function isRecorded(ledger: ReadableLedger, model: string): Promise<boolean> {
  try {
    return await hasChain(ledger, model);
  } catch (error) {
    if (error instanceof RefusedError) return false;
    throw error;
  }
}
