import { inc, major, minor, rcompare } from 'semver';
import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { LabelJoins } from '../data/label-joins.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { TrainerAgreement } from '../model/trainer-predictions.ts';
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
  /** The release that its version was computed against. */
  parent: Digest.nullable(),
  /** All that it was made from (`originOf`); registrations of before do not say. */
  origin: Digest.exactOptional(),
  /** The commit that it was made from, and who wrote that; registrations of before, or of another deployment, do not say. */
  commit: z.string().min(1).exactOptional(),
  createdBy: z.string().min(1).exactOptional(),
  /** The digest of the feature partitions that it was trained on. */
  dataVersion: Digest.exactOptional(),
  /** What its version stands for, as its manifest has it; registrations of before do not say, and are like no other. */
  recipe: Digest.exactOptional(),
  schemas: z.strictObject({ input: Digest, output: Digest }).exactOptional(),
  /** The digest of the columns that it reads of its sources (`sourcesOf`). */
  sources: Digest.exactOptional(),
  /** The evidence by which its data was accepted before it was trained. */
  dataCheck: Digest.exactOptional(),
  /**
   * The evaluation report of the newest run that compared it with a champion, as a page and as data. A baseline has none: it
   * is a constant that no run proposes, and its figures stand in the reports of those that are compared with it.
   */
  report: z.strictObject({ html: Digest, json: Digest }).exactOptional(),
});
export type Registration = z.infer<typeof Registration>;

/**
 * What prod serves, as the last record of its signed chain that was read here says. A release that was rolled back is not
 * released any more: who uses predictions has the one before it again.
 */
export const Released = z.strictObject({
  environment: z.string().min(1),
  release: Digest,
  version: Version,
  /** The pointer's; it only grows. */
  seq: z.int().min(1),
  /** The hash of the record, which was signed by the peer. */
  record: Digest,
});
export type Released = z.infer<typeof Released>;

/** The version of a model's first registration. */
const FIRST = '0.1.0';

/** A version that was given, and what it stands for. */
type Given = Pick<Registration, 'version' | 'recipe' | 'schemas' | 'sources'>;
/**
 * What the next version is computed against: what prod serves or, while it serves nothing, the first registration. A release
 * that is served and not registered here (dev's ledger was lost, or restored to an earlier time) has its version only: nothing
 * is known to be compatible with it.
 */
export function comparedWith(
  registrations: readonly Registration[],
  released: Released | undefined,
): (Given & Pick<Registration, 'release'>) | undefined {
  if (released === undefined) return registrations.find(({ version }) => version === FIRST);
  return registrations.find(({ release }) => release === released.release) ?? released;
}

/** What a version is to stand for. */
type Made = Required<Omit<Given, 'version'>>;

/**
 * The version of a release that is about to be registered, and why. The level is that of its difference from what is
 * released, `change` that of their sources; the number is the next free one that is true of every other version too: those of
 * one MAJOR have the same schemas, those of one MAJOR.MINOR the same recipe and sources. A try that came to nothing keeps its
 * number and moves nobody else's.
 */
export function nextVersion(
  released: Given | undefined,
  given: readonly Given[],
  made: Made,
  change?: SourceChange,
): { readonly version: string; readonly reason: string } {
  if (released === undefined) return { version: FIRST, reason: 'first registration of the model' };
  const difference = differenceFrom(released, made, change);
  const { level } = difference;
  const reason = `against ${released.version}: ${difference.reason}`;
  // The released version is taken, whether or not it is registered here.
  const newestFirst = [...given, released].sort((a, b) => rcompare(a.version, b.version));
  const ofMajor = (of: Given): readonly Given[] =>
    newestFirst.filter(({ version }) => major(version) === major(of.version));
  // The numbers at this level above the released one, which tries that were not released may have taken.
  const ahead =
    level === 'major'
      ? newestFirst.filter(({ version }) => major(version) > major(released.version))
      : ofMajor(released).filter(({ version }) =>
          level === 'minor' ? minor(version) > minor(released.version) : minor(version) === minor(released.version),
        );
  const alike = ahead.filter(
    ({ schemas, sources }) =>
      schemas?.input === made.schemas.input && schemas.output === made.schemas.output && sources === made.sources,
  );
  const twin = level === 'patch' ? ahead[0] : alike.find(({ recipe }) => recipe === made.recipe);
  if (twin !== undefined) return { version: next(twin, 'patch'), reason };
  if (level === 'major' && alike[0] === undefined) return { version: next(newestFirst[0], 'major'), reason };
  return { version: next(ofMajor(alike[0] ?? released)[0], 'minor'), reason };
}

function differenceFrom(
  { version, recipe, schemas }: Given,
  made: Made,
  change: SourceChange | undefined,
): { readonly level: 'major' | 'minor' | 'patch'; readonly reason: string } {
  if (version === FIRST) return { level: 'major', reason: 'only the baseline is released' };
  if (schemas === undefined) return { level: 'major', reason: 'what is released is not registered here' };
  if (schemas.input !== made.schemas.input) return { level: 'major', reason: 'the input schema changed' };
  if (schemas.output !== made.schemas.output) return { level: 'major', reason: 'the output schema changed' };
  if (change?.level === 'major') return change;
  const changed = [
    ...(recipe === made.recipe ? [] : ['features, algorithm, windows or code changed']),
    ...(change === undefined ? [] : [change.reason]),
  ];
  if (changed.length > 0) return { level: 'minor', reason: changed.join('; ') };
  return { level: 'patch', reason: 'the same recipe on other data' };
}

function next(given: Given | undefined, level: 'major' | 'minor' | 'patch'): string {
  const version = given === undefined ? null : inc(given.version, level);
  if (version === null) throw new Error(`no version follows ${given?.version ?? 'nothing'}`);
  return version;
}

/**
 * The writes of a registration: a digest is registered once, a version is given once, and what it was computed against is
 * still what is released.
 */
export function registrationWrites(released: Released | undefined, registration: Registration): readonly Write[] {
  const { model, release, version } = registration;
  return [
    { kind: 'put', item: { ...keys.registration(model, release), ...registration }, condition: ABSENT },
    { kind: 'put', item: { ...keys.version(model, version), release }, condition: ABSENT },
    {
      kind: 'check',
      key: keys.released(model),
      condition: released === undefined ? ABSENT : equals({ seq: released.seq }),
    },
  ];
}
