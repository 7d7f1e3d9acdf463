import { writeFile } from 'node:fs/promises';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { Scoring } from '#ports/scoring.ts';
import type { ModelArtifact } from '#ports/training-jobs.ts';
import { JOINS } from '#test/domain/data/_joins.ts';
import { packageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { admitDays } from './_admitted.ts';
import { bytes, type Environment, MODEL, world } from './_environments.ts';

export const RUN = 'toy-run-1';

export let dev: Environment;

type Left = Readonly<Record<string, string | Uint8Array>> | Refusal;

const artifactOf = (left: Left): ModelArtifact =>
  'rule' in left
    ? { kind: 'refused', refusal: left as Refusal }
    : {
        kind: 'read',
        files: new Map(
          Object.entries(left).map(([name, file]) => [name, typeof file === 'string' ? bytes(file) : file]),
        ),
      };

export const packaged = async (
  files: Left,
  exported: object = { status: 'exported', rows: 100, positives: 20, joins: JOINS },
  {
    others = {},
    scoring = dev.scoring,
    rowsOf = () => 10,
    contentOf = (day) => bytes(`rows of ${day}`),
    stored = () => undefined,
  }: {
    readonly others?: Readonly<Record<string, Left>>;
    readonly scoring?: Scoring;
    readonly rowsOf?: (day: string) => number;
    readonly contentOf?: (day: string) => Uint8Array;
    /** What the run has staged under a key. */
    readonly stored?: (key: string) => Uint8Array | undefined;
  } = {},
) => {
  const planned = await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' });
  const [window] = (planned as { windows: { plan: Digest }[] }).windows;
  const plan = TrainingPlan.parse(
    JSON.parse(Buffer.from(await dev.documents.read(window?.plan ?? digestOf(''))).toString()),
  );
  for (const { day, digest } of plan.features)
    dev.lake.objects.set(`${MODEL}/features/${digest}`, {
      content: contentOf(day),
      sha256: digestOf(contentOf(day)),
      rows: rowsOf(day),
    });
  const training = {
    fetch: async (key: string, path: string) => {
      const content = stored(key);
      if (content !== undefined) await writeFile(path, content);
      return content !== undefined;
    },
    readArtifact: async (uri: string) => artifactOf(others[uri] ?? files),
    storeRows: async () => undefined,
  };
  const windows = [
    {
      window: 'all',
      plan: window?.plan,
      export: exported,
      training: { status: 'trained', artifact: 's3://b/model.tar.gz', seconds: 1 },
    },
    ...Object.keys(others).map((artifact) => ({
      window: artifact,
      plan: window?.plan,
      export: exported,
      training: { status: 'trained', artifact, seconds: 1 },
    })),
  ];
  return packageCandidates({ ...dev, training, scoring })({ windows }) as Promise<{
    status: string;
    candidates: {
      release: Digest;
      window: string;
      fingerprint: Digest;
      metrics: Record<string, number>;
      agreement: unknown;
    }[];
    baseline: { release: Digest; baseRate: number; window: string } | null;
    reasons: string[];
  }>;
};

export const many = JSON.stringify(Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`m${index}`, index])));

/** Dev, before its first candidates. */
export async function begin(): Promise<void> {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
}
