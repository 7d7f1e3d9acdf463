import type { Environment } from '#domain/environment/environment.ts';
import { s3ArtifactStore, readObject } from '#adapters/aws/artifact-store.ts';
import { s3PeerRecords } from '#adapters/aws/published-records.ts';
import type { AuditRecord } from '#domain/audit/chain.ts';
import type { LedgerState, ObjectFinding, Published } from '#domain/audit/invariant.ts';
import { governedState } from '#domain/audit/standing.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { Golden } from '#domain/data/golden.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';

import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findChainHead, followItems, readRecords } from '#read-model/chain.ts';
import { readFence, readPredictions } from '#read-model/predictions.ts';
import { readRegistrations } from '#read-model/registrations.ts';
import { readStandingItems } from '#read-model/standing.ts';
import type { Cloud } from '../../cloud.ts';

/** As much of an environment's cloud as is read. */
type Read = Pick<Cloud, 'environment' | 'ledger' | 's3'> & {
  readonly names: Pick<Cloud['names'], 'artifactBucket' | 'publishedBucket'>;
};

/** Reads everything that the invariants are about, of one model in one environment. */
export async function ledgerState(
  cloud: Read,
  model: string,
  decisions: LedgerState['decisions'],
  now: Date,
): Promise<LedgerState> {
  const { ledger } = cloud;
  const store = s3ArtifactStore(cloud.s3, cloud.names.artifactBucket);
  const serves = cloud.environment === 'staging' || cloud.environment === 'prod';
  const [items, head, standing, fence, predictions] = await Promise.all([
    Array.fromAsync(followItems(ledger, model)),
    findChainHead(ledger, model),
    readStandingItems(ledger, model),
    readFence(ledger, model),
    serves ? readPredictions(ledger, model) : [],
  ]);
  const governed = governedState(standing);
  return {
    environment: cloud.environment,
    model,
    now,
    stored: items.map((item) => ({
      seq: Number(item.sk),
      document: textOf(item['document']),
      hash: textOf(item['hash']),
      changes: textOf(item['changes']),
    })),
    head,
    ...governed,
    predictions,
    baselines: await baselinesIn(ledger, store, model),
    isReconciling: (fence?.running ?? null) !== null,
    objects: [...(await releaseFindings(store, governed.pointer)), ...(await predictionFindings(cloud, predictions))],
    published: await publishedBy(cloud, model),
    decisions,
  };
}

/** The decisions of control's chain by the hashes that approvals name. */
export async function decisionsOf(control: Cloud, model: string): Promise<ReadonlyMap<string, AuditRecord>> {
  const records = await readRecords(control.ledger, model);
  return new Map(
    records.filter(({ record }) => record.code === 'DECISION_MADE').map(({ record, hash }) => [hash, record]),
  );
}

/** Reads the served release and the one behind it again, byte for byte. */
async function releaseFindings(store: ArtifactStore, pointer: Pointer | undefined): Promise<readonly ObjectFinding[]> {
  if (pointer === undefined) return [];
  const releases = [
    { release: pointer.current, version: pointer.version },
    ...(pointer.lastConfirmed === null ? [] : [pointer.lastConfirmed]),
  ];
  const findings: ObjectFinding[] = [];
  for (const { release, version } of releases) {
    try {
      const manifest = await readDocument(store, ReleaseManifest, release);
      if (manifest.model !== pointer.model)
        findings.push({ of: 'release', name: version, found: `its manifest is of ${manifest.model}` });
      for (const file of manifest.files) {
        const { length } = await store.read(file.sha256);
        if (length !== file.size)
          findings.push({
            of: 'release',
            name: `${version} ${file.path}`,
            found: `has ${length} bytes, the manifest says ${file.size}`,
          });
      }
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error;
      findings.push({ of: 'release', name: version, found: error.message });
    }
  }
  return findings;
}

/** The registered baselines of a model, each with the reason why it can never be served, if there is one. */
export async function baselinesIn(
  ledger: ReadableLedger,
  store: ArtifactStore,
  model: string,
): Promise<LedgerState['baselines']> {
  const registered = (await readRegistrations(ledger, model)).filter(({ kind }) => kind === 'baseline');
  return Promise.all(
    registered.map(async ({ version, release }) => {
      try {
        const manifest = await readDocument(store, ReleaseManifest, release);
        await readDocument(store, Golden, fileOf(manifest, 'golden.json').sha256);
        return { version, problem: undefined };
      } catch (error) {
        if (!(error instanceof GatehouseError)) throw error;
        return { version, problem: error.message };
      }
    }),
  );
}

/** A stored text; anything else that stands there is shown as it is, and found to be no record. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** How many prediction objects are read at a time. */
const AT_ONCE = 8;

async function predictionFindings(
  { s3 }: Read,
  predictions: readonly PredictionManifest[],
): Promise<readonly ObjectFinding[]> {
  const findings: ObjectFinding[] = [];
  for (let from = 0; from < predictions.length; from += AT_ONCE) {
    const found = await Promise.all(
      predictions.slice(from, from + AT_ONCE).map(async ({ day, object }): Promise<ObjectFinding | undefined> => {
        const content = await readObject(s3, object.bucket, object.key, object.versionId).catch((error: unknown) => {
          if (error instanceof Error && (error.name === 'NoSuchVersion' || error.name === 'NotFound')) return undefined;
          throw error;
        });
        if (content === undefined) return { of: 'prediction', name: day, found: `${object.key} is not there` };
        if (digestOf(content) !== object.sha256)
          return { of: 'prediction', name: day, found: `${object.key} does not hash to ${object.sha256}` };
        return content.length === object.size
          ? undefined
          : { of: 'prediction', name: day, found: `${object.key} has ${content.length} bytes` };
      }),
    );
    findings.push(...found.filter((finding) => finding !== undefined));
  }
  return findings;
}

async function publishedBy({ s3, names, environment }: Read, model: string): Promise<Published | undefined> {
  const peers = s3PeerRecords(s3, () => names.publishedBucket);
  const publicKeyPem = await peers.publicKeyPem(environment);
  if (publicKeyPem === undefined) return undefined;
  const records: Published['records'][number][] = [];
  for (let last = -1; ;) {
    const found = await peers.recordsAfter(environment, model, last);
    records.push(...found);
    const end = found.at(-1)?.seq;
    if (end === undefined) break;
    last = end;
  }
  return { publicKeyPem, records, newestPointer: await peers.newestPointer(environment, model) };
}

/** The environments that have ledgers, control first: its decisions are what the others' approvals are compared with. */
export const CHECKED: readonly Environment[] = ['control', 'dev', 'staging', 'prod'];
