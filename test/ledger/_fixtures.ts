import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { type DeployedModels, policyDigest } from '#domain/model/deployed.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { StoredVersions } from '#ports/stored-versions.ts';
import type { Signer } from '#ports/signer.ts';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { measure } from '#test/domain/gates/_measure.ts';
import { probationRule } from '#test/domain/policy/_rule.ts';
import { bytes, deployed, policy as base } from '#test/use-cases/_environments.ts';
import { makeRelease } from '#test/use-cases/_releases.ts';
import { ENVIRONMENTS, type Name } from './_commands.ts';

export { MODEL, START } from '#test/use-cases/_environments.ts';

const filled = memoryArtifactStore();
/** The releases that can be registered: the baseline, and trained ones. */
export const BASELINE = await makeRelease(filled, 'baseline', 'baseline');
export const TRAINED: readonly Digest[] = await Promise.all(
  Array.from({ length: 12 }, (_, index) => makeRelease(filled, `trained ${index}`)),
);

/** A comparison of three days in which the candidate gains this share. */
const gaining = (gain: number, noise: number): string =>
  canonicalJson(
    measure(
      Array.from({ length: 3 }, (_, day) => ({
        champion: 0.45,
        candidate: 0.45 * (1 - gain - (day % 2 === 0 ? noise : -noise)),
      })),
    ),
  );
const TEXTS = {
  better: gaining(0.02, 0.001),
  worse: gaining(-0.02, 0.001),
  undecided: gaining(-0.005, 0.02),
  likely: gaining(0.004, 0.02),
};
for (const text of Object.values(TEXTS)) await filled.write(bytes(text));
/** What a comparison can come to, the usual more often. */
export const MEASURES: readonly Digest[] = (
  ['better', 'better', 'better', 'likely', 'better', 'worse', 'better', 'undecided'] as const
).map((which) => digestOf(TEXTS[which]));

/** Where everything is; hashing what it reads is what the store's own tests are about. */
export const store: ArtifactStore = {
  has: async (digest) => filled.objects.has(digest),
  read: async (digest) => filled.objects.get(digest) ?? filled.read(digest),
  write: (content) => filled.write(content),
};

/** Their versions, each as it should be: hashing is left out here as well. */
export const versions: StoredVersions = {
  find: async (digest) => ({
    versionId: '1',
    sha256: digest,
    retention: { kind: 'retained', mode: 'GOVERNANCE', until: '9999-01-01T00:00:00.000Z' },
  }),
};

const { initial } = base.transitions;
const staging = { ...base.transitions.staging, probation: probationRule(7) };
const prod = { ...base.transitions.prod, probation: probationRule(3) };
const hotfix = { ...base.transitions.prod };
const variant = (changes: Partial<Policy['transitions']>): Policy => ({
  ...base,
  comparison: { ...base.comparison, minimumDays: 3, provisional: { minimumImprovement: 0.005, tolerance: 0.5 } },
  transitions: { initial, staging, prod, ...changes },
});
/** The policies that can be in force: two people for prod; three, and one for staging, prod opens by itself; and a hasty one. */
const POLICIES = [
  variant({ hotfix }),
  variant({
    staging: { ...staging, approvals: [{ role: 'ml-lead', count: 1 }] },
    prod: {
      ...prod,
      opensOnOffer: true,
      approvals: [
        { role: 'ml-lead', count: 2 },
        { role: 'platform', count: 1 },
      ],
    },
  }),
  variant({
    initial: { ...initial, evidenceValidHours: 3 },
    staging: { ...staging, evidenceValidHours: 3, gates: ['released-upstream', 'better-than-champion'] },
    prod: { ...prod, evidenceValidHours: 3, approvalHours: 2 },
    hotfix: { ...hotfix, approvals: [{ role: 'platform', count: 1 }] },
  }),
] as const;
export const POLICY_BY_DIGEST: ReadonlyMap<string, Policy> = new Map(
  POLICIES.map((policy) => [policyDigest(policy), policy]),
);

/** What is deployed under each policy. */
const under = (policy: Policy): DeployedModels => ({
  ...deployed,
  models: deployed.models.map((model) => ({ ...model, policy })),
});
export const DEPLOYED = [under(POLICIES[0]), under(POLICIES[1]), under(POLICIES[2])] as const;

/** The people, by the roles that they have. */
export const PEOPLE: Readonly<Record<string, string[]>> = {
  lea: ['ml-lead'],
  lou: ['ml-lead', 'platform'],
  pat: ['platform'],
  pia: ['platform'],
  eng: ['ml-engineer'],
  eve: ['risk'],
};

/** A key of 512 bits: signatures are real and quick, and nobody attacks them here. */
function quickSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 512,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const key = createPrivateKey(privateKey);
  return { publicKeyPem: async () => publicKey, sign: async (message) => sign('sha256', message, key) };
}
export const SIGNERS = Object.fromEntries(ENVIRONMENTS.map((name) => [name, quickSigner()])) as Readonly<
  Record<Name, Signer>
>;
