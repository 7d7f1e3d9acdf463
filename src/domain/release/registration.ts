import { inc } from 'semver';
import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { LabelJoins } from '../data/label-joins.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { TrainerAgreement } from '../model/trainer-predictions.ts';
import type { ReleaseManifest } from './manifest.ts';
import type { SourceChange } from './source-change.ts';

/** A semantic version of a release. */
export const Version = z.string().regex(/^\d+\.\d+\.\d+$/, 'a version is MAJOR.MINOR.PATCH');

/** A record about a digest: whose it is, which version, and where it came from. */
export const Registration = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  release: Digest,
  kind: z.enum(['trained', 'baseline']),
  version: Version,
  /** Why the version is this one. */
  reason: z.string().min(1),
  owner: z.string().min(1),
  creator: z.string().min(1),
  at: z.iso.datetime(),
  run: z.string().min(1),
  window: z.string().min(1),
  /** Log loss, Brier score and rows, as the trainer reported them on its own rows: information, never evidence. */
  metrics: z.record(z.string(), z.number()),
  /** How near its ONNX file is to what its trainer predicted; absent where the trainer left no predictions. */
  agreement: TrainerAgreement.exactOptional(),
  /** What the join of events and labels lost of its rows; registrations of before do not say. */
  joins: LabelJoins.exactOptional(),
  parent: Digest.nullable(),
  /** All that it was made from (`originOf`); registrations of before do not say. */
  origin: Digest.exactOptional(),
  /** The evidence by which its data was accepted before it was trained. */
  dataCheck: Digest.exactOptional(),
  /**
   * The evaluation report of the newest run that compared it with a champion, as a page and as data. A baseline has none: it
   * is a constant that no run proposes, and its figures stand in the reports of those that are held against it.
   */
  report: z.strictObject({ html: Digest, json: Digest }).exactOptional(),
});
export type Registration = z.infer<typeof Registration>;

/** The newest version of a model and what it was computed from. */
export const VersionHead = z.strictObject({
  version: Version,
  release: Digest,
  recipe: Digest,
  input: Digest,
  output: Digest,
});
export type VersionHead = z.infer<typeof VersionHead>;

/** The level at which a release differs from the one before it, and the reason in words. */
export function nextVersion(
  previous: VersionHead | undefined,
  manifest: ReleaseManifest,
  sources?: SourceChange,
): { readonly version: string; readonly reason: string } {
  if (previous === undefined) return { version: '0.1.0', reason: 'first registration of the model' };
  const bump = (level: 'major' | 'minor' | 'patch', reason: string) => {
    const version = inc(previous.version, level);
    if (version === null) throw new Error(`not a version: ${previous.version}`);
    return { version, reason };
  };
  if (previous.input !== manifest.schemas.input) return bump('major', 'the input schema changed');
  if (previous.output !== manifest.schemas.output) return bump('major', 'the output schema changed');
  if (sources?.level === 'major') return bump('major', sources.reason);
  const changed = [
    ...(previous.recipe === manifest.recipe ? [] : ['features, algorithm, windows or code changed']),
    ...(sources === undefined ? [] : [sources.reason]),
  ];
  if (changed.length > 0) return bump('minor', changed.join('; '));
  return bump('patch', 'the same recipe on other data');
}

/** The writes of a registration: a digest is registered once, and a version is given once. */
export function registrationWrites(
  previous: VersionHead | undefined,
  manifest: ReleaseManifest,
  registration: Registration,
): readonly Write[] {
  const head: VersionHead = {
    version: registration.version,
    release: registration.release,
    recipe: manifest.recipe,
    input: manifest.schemas.input,
    output: manifest.schemas.output,
  };
  return [
    {
      kind: 'put',
      item: { ...keys.registration(registration.model, registration.release), ...registration },
      condition: ABSENT,
    },
    {
      kind: 'put',
      item: { ...keys.version(registration.model, registration.version), release: registration.release },
      condition: ABSENT,
    },
    {
      kind: 'put',
      item: { ...keys.versionHead(registration.model), ...head },
      condition: previous === undefined ? ABSENT : equals({ version: previous.version }),
    },
  ];
}
