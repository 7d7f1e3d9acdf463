import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { LabelJoins } from '#domain/data/label-joins.ts';
import { Golden } from '#domain/data/golden.ts';
import { GatehouseError } from '#domain/error.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { TrainerAgreement } from '#domain/model/trainer-predictions.ts';
import { fileOf, originOf, ReleaseManifest } from '#domain/release/manifest.ts';
import {
  comparedWith,
  nextVersion,
  type Registration,
  registrationWrites,
  Version,
} from '#domain/release/registration.ts';
import { type SourceChange, sourceChange, sourcesOf } from '#domain/release/source-change.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { definitionIn, definitionOf } from '#read-model/definitions.ts';
import { findRegistration, findReleased, readRegistrations } from '#read-model/registrations.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { isBroken } from '#use-cases/verification/whole-release.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { Baseline, Candidate as PackagedCandidate } from './package-candidates.ts';

export interface Registering extends Recording {
  readonly releases: ArtifactStore;
  readonly deployed: DeployedModels;
}

const Registered = z.object({ release: Digest, version: Version });

export const RegisterCandidates = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    candidates: z
      .array(
        PackagedCandidate.extend({
          agreement: TrainerAgreement.nullable().default(null),
          joins: LabelJoins.nullable().default(null),
        }),
      )
      .min(1),
    /** The evidence by which the run's data was accepted; a release without it passes no gate that asks for it. */
    dataCheck: Digest.nullable().default(null),
    baseline: Baseline.nullable(),
  }),
  output: z.object({ status: z.literal('registered'), candidates: z.array(Registered).min(1) }),
});

/**
 * Registers the baseline, if the model has none yet that can be served, and each candidate, with a version and its reason. What was made from
 * the same as a registered release is that release, though its bytes differ: a run that is repeated makes no new version,
 * and what was rolled back does not come back under another digest.
 */
export function registerCandidates(deps: Registering): Task {
  return RegisterCandidates.task(async ({ model, run, dataCheck, candidates, baseline }) => {
    if (baseline !== null && !(await hasBaseline(deps, model))) {
      await register(deps, model, run, { ...baseline, dataCheck: null, metrics: { baseRate: baseline.baseRate } });
    }
    const registered = [];
    for (const candidate of candidates) registered.push(await register(deps, model, run, { ...candidate, dataCheck }));
    return { status: 'registered', candidates: registered };
  });
}

async function hasBaseline(deps: Registering, model: string): Promise<boolean> {
  for (const { kind, release } of await readRegistrations(deps.ledger, model))
    if (kind === 'baseline' && (await isServable(deps.releases, release))) return true;
  return false;
}

/** Whether a release can ever be served: without golden rows every other environment refuses it, now and later. */
async function isServable(store: ArtifactStore, release: Digest): Promise<boolean> {
  try {
    const manifest = await readDocument(store, ReleaseManifest, release);
    await readDocument(store, Golden, fileOf(manifest, 'golden.json').sha256);
    return true;
  } catch (error) {
    if (isBroken(error)) return false;
    throw error;
  }
}

/** How a release's sources are declared otherwise than those of another one; what cannot be compared any more may break anything. */
async function sourcesSince(
  store: ArtifactStore,
  previous: Digest | undefined,
  definition: ModelDefinition,
): Promise<SourceChange | undefined> {
  if (previous === undefined) return undefined;
  try {
    return sourceChange((await definitionOf(store, previous)).definition, definition);
  } catch (error) {
    if (!isBroken(error)) throw error;
    return {
      level: 'major',
      reason: `its columns are not known: ${error.message}`.slice(0, 500),
    };
  }
}

interface Candidate {
  readonly release: Digest;
  readonly window: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly agreement?: TrainerAgreement | null;
  readonly joins?: LabelJoins | null;
  readonly dataCheck: Digest | null;
}

async function register(
  deps: Registering,
  model: string,
  run: string,
  candidate: Candidate,
): Promise<z.output<typeof Registered>> {
  // In this order: two that are registered at once, made from the same, then take the same number, and one of them is refused.
  const released = await findReleased(deps.ledger, model);
  const registrations = await readRegistrations(deps.ledger, model);
  const existing = registrations.find(({ release }) => release === candidate.release);
  if (existing !== undefined) return { release: candidate.release, version: existing.version };
  const manifest = await readDocument(deps.releases, ReleaseManifest, candidate.release);
  const { commit } = manifest.code;
  const origin = originOf(manifest);
  for (const known of registrations) {
    // What can never be served stands in nobody's way: the same data may give another release that can.
    if (known.origin !== origin || !(await isServable(deps.releases, known.release))) continue;
    return { release: known.release, version: known.version };
  }
  const base = comparedWith(registrations, released);
  const { definition } = await definitionIn(deps.releases, manifest);
  const made = { recipe: manifest.recipe, schemas: manifest.schemas, sources: sourcesOf(definition) };
  const change = await sourcesSince(deps.releases, base?.release, definition);
  const { version, reason } = nextVersion(base, registrations, made, change);
  const evidence = candidate.dataCheck === null ? {} : { dataCheck: candidate.dataCheck };
  const registration: Registration = {
    formatVersion: 1,
    model: manifest.model,
    release: candidate.release,
    kind: manifest.kind,
    version,
    reason,
    owner: deployedModel(deps.deployed, model).definition.owner,
    creator: 'pipeline:registration',
    at: deps.clock.now().toISOString(),
    run,
    window: candidate.window,
    metrics: candidate.metrics,
    ...(candidate.agreement ? { agreement: candidate.agreement } : {}),
    ...(candidate.joins ? { joins: candidate.joins } : {}),
    parent: base?.release ?? null,
    origin,
    commit,
    ...(commit === deps.deployed.commit && deps.deployed.author !== undefined
      ? { createdBy: deps.deployed.author }
      : {}),
    dataVersion: manifest.data.fingerprint,
    ...made,
    ...evidence,
  };
  const result = await recordChange(deps, {
    model,
    operation: operationName('register', candidate.release),
    writes: registrationWrites(released, registration),
    event:
      manifest.kind === 'baseline'
        ? {
            code: 'BASELINE_REGISTERED',
            actor: 'pipeline:registration',
            release: candidate.release,
            details: { version, run, asOf: manifest.data.asOf, baseRate: candidate.metrics['baseRate'] ?? 0, commit },
          }
        : {
            code: 'RELEASE_REGISTERED',
            actor: 'pipeline:registration',
            release: candidate.release,
            details: {
              version,
              reason,
              run,
              asOf: manifest.data.asOf,
              window: candidate.window,
              fingerprint: manifest.data.fingerprint,
              commit,
              ...evidence,
            },
          },
  });
  if (result.kind === 'recorded') return { release: candidate.release, version };
  if (result.kind === 'already-recorded') {
    // Somebody who registered the same at the same time may have known another release than this did.
    const first = await findRegistration(deps.ledger, model, candidate.release);
    if (first !== undefined) return { release: candidate.release, version: first.version };
  }
  // Another run took the version, or prod serves another release: the machine's retry computes it again.
  throw new GatehouseError(
    'VERSION_TAKEN',
    `${model}@${version} was given to another release in the meantime, or another one is released`,
    { model, version },
  );
}
