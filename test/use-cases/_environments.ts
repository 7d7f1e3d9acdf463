import { readFile, writeFile } from 'node:fs/promises';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryAnnouncements } from '#adapters/memory/announcements.ts';
import { memoryLake } from '#adapters/memory/lake.ts';
import { memoryOnlineFeatures } from '#adapters/memory/online-features.ts';
import { memoryKeys } from '#adapters/memory/keys.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { memoryProcessingJobs } from '#adapters/memory/processing-jobs.ts';
import { memoryPublishedRecords } from '#adapters/memory/published-records.ts';
import { memorySigner } from '#adapters/memory/signer.ts';
import { memoryStateMachines } from '#adapters/memory/state-machines.ts';
import { memoryStoredVersions } from '#adapters/memory/stored-versions.ts';
import type { AuditRecord } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { INTEGRITY_CHECKS } from '#domain/gates/gates/release-integrity.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { EventReading } from '#ports/feature-engine.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { EventRow } from '#ports/online-features.ts';
import type { Scoring } from '#ports/scoring.ts';
import { readRecords } from '#read-model/chain.ts';
import { ACTIVATION, comparisonRule } from '#test/domain/policy/_rule.ts';
import { publishModels } from '#use-cases/announcements/publish-records.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';

export const MODEL = 'toy';
export const START = Date.parse('2026-03-02T09:00:00.000Z');
export const hours = (count: number): number => count * 3_600_000;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const SQL = { 'features/daily.sql': 'SELECT daily', 'features/features.sql': 'SELECT features' } as const;
export const definition: ModelDefinition = {
  formatVersion: 1,
  name: MODEL,
  task: 'binary-classification',
  owner: 'owners',
  purpose: 'to be tried',
  events: {
    source: 'toy/events',
    readyMarker: '_READY',
    id: 'id',
    entity: 'who',
    time: 'at',
    columns: { id: 'VARCHAR' },
  },
  labels: {
    source: 'toy/labels',
    readyMarker: '_READY',
    join: 'id',
    value: 'bad',
    arrivedAt: 'seen',
    columns: { id: 'VARCHAR' },
    matureAfterDays: 1,
  },
  features: {
    daily: { path: 'features/daily.sql', sha256: digestOf(SQL['features/daily.sql']) },
    features: { path: 'features/features.sql', sha256: digestOf(SQL['features/features.sql']) },
    columns: ['x', 'y'],
    aggregateDays: 1,
    eventDays: 0,
  },
  training: {
    image: `trainer@sha256:${'0'.repeat(64)}`,
    local: ['python', 'train.py'],
    hyperparameters: {},
    seed: 7,
    instanceType: 'ml.m5.large',
    maxRuntimeSeconds: 600,
    code: digestOf('train.py'),
  },
  windows: [{ name: 'all', since: '2001-01-01' }],
  evaluation: { selectionDays: 1, testDays: 2 },
  schedule: { cron: 'cron(0 6 ? * MON *)', timezone: 'UTC' },
  predictions: { modes: ['batch'], days: 3 },
  sla: { predictionsWithinHours: 24 },
  escalation: ['ml-engineer'],
};

const transition = {
  gates: ['released-upstream', 'release-integrity', 'metric-baseline', 'better-than-champion'] as const,
  opensOnOffer: true,
  evidenceValidHours: 72,
  approvalHours: 48,
};
export const policy: Policy = {
  formatVersion: 1,
  model: MODEL,
  activation: ACTIVATION,
  comparison: comparisonRule(),
  transitions: {
    initial: { ...transition, gates: ['released-upstream', 'release-integrity'], approvals: [] },
    staging: { ...transition, gates: [...transition.gates], approvals: [] },
    prod: {
      ...transition,
      gates: [...transition.gates],
      opensOnOffer: false,
      approvals: [
        { role: 'ml-lead', count: 1 },
        { role: 'platform', count: 1 },
      ],
    },
  },
};
export const deployed: DeployedModels = {
  formatVersion: 1,
  commit: 'commit',
  models: [{ definition, policy, sql: { ...SQL }, expectations: {} }],
};

/** Golden rows that name what they are of. */
export const goldenOf = (text: string, rows: readonly number[][] = [[0]]): string =>
  canonicalJson({ formatVersion: 1, columns: [text], rows, predictions: rows.map(() => 0.5) });

/**
 * Scoring without ONNX: a model is any text that begins with MODEL, and its golden predictions are its own text. What comes
 * after a # is what a file says of itself and no part of what it computes.
 */
export const scoring: Scoring = {
  unwrapped: (model) => model,
  inspect: (model) => (Buffer.from(model).toString().startsWith('MODEL') ? undefined : 'not a model'),
  makeGolden: async (model) => goldenOf(Buffer.from(model).toString()),
  checkGolden: async (model, _, golden) =>
    golden === goldenOf(Buffer.from(model).toString()) ? undefined : 'the golden predictions differ',
  sameAs: async (model, _, other) => {
    const [one, another] = [model, other.model].map((each) => Buffer.from(each).toString().split('#')[0]);
    return one === another ? 'it has the same operators and weights' : undefined;
  },
  async predictAgain(model, _, files) {
    const said = JSON.parse(await readFile(files.predictions, 'utf8')) as [id: string, day: string, trainer: number][];
    const rows = said.map(async ([id, day, trainer]) => {
      const file = await files.rowsOf(day);
      const known = file === undefined ? '' : await readFile(file, 'utf8');
      return { id, day, trainer, onnx: known.includes(id) ? Buffer.from(model).length / 100 : undefined };
    });
    return { kind: 'predicted', rows: await Promise.all(rows) };
  },
  open: async (model) => ({
    kind: 'loaded',
    model: {
      predict: async (rows) => rows.map(() => Buffer.from(model).length / 1000),
      close: async () => {},
    },
  }),
  constantModel: (rate) => bytes(`MODEL constant ${rate}`),
  async withModel(model, _, work) {
    const value = await work({
      async score({ features, out }) {
        const text = `${Buffer.from(model).toString()} of ${await readFile(features, 'utf8')}`;
        if (text.includes('NaN')) {
          return {
            kind: 'refused',
            refusal: { rule: 'predictions-are-probabilities', found: '1 prediction is NaN', remedy: 'mend the model' },
          };
        }
        await writeFile(out, text);
        return { kind: 'built', rows: 10, sha256: digestOf(text), carried: 0, dropped: 0 };
      },
      async explain(features) {
        const text = (await Promise.all(features.map((file) => readFile(file, 'utf8')))).join();
        if (text.includes('NaN'))
          return {
            kind: 'refused',
            refusal: { rule: 'predictions-are-probabilities', found: 'a NaN', remedy: 'mend the model' },
          };
        const of = (name: string, change: number) => ({ name, change, lowest: change, highest: change });
        const importances = { rows: 10, repeats: 1, seed: 1, features: [of('x', 0.5), of('y', 0)] };
        return { kind: 'explained', importances };
      },
    });
    return { kind: 'done', value };
  },
};

/** Events that are their files: JSON of rows, whose times are in `at`. */
const memoryEvents: EventReading = {
  async readEvents(_, files) {
    const rows = await Promise.all(
      files.map(async ({ file }) => JSON.parse(await readFile(file, 'utf8')) as EventRow[]),
    );
    const events = rows.flat().map((row) => ({ row, at: BigInt(Date.parse(String(row['at']))) * 1000n }));
    return { kind: 'read', events };
  },
};

/** The aliases of an environment's keys, and keys that can be used. */
export const KEY_ALIASES = { signing: 'alias/signing', 'request log': 'alias/request-log' } as const;
export const KEY_STATES = {
  'alias/signing': { kind: 'key', state: 'Enabled', usage: 'SIGN_VERIFY' },
  'alias/request-log': { kind: 'key', state: 'Enabled', usage: 'ENCRYPT_DECRYPT' },
} as const;

/** What a state says of a release that verifies well, and of data that it can read. */
export const VERIFIED = [
  INTEGRITY_CHECKS.files,
  INTEGRITY_CHECKS.definition,
  INTEGRITY_CHECKS.loads,
  INTEGRITY_CHECKS.golden,
].map((check) => ({ check, problem: null }));
export const READABLE = [
  { kind: 'events', problem: null },
  { kind: 'labels', problem: null },
] as const;

/** Everything that peers share, and the clock of all. */
export function world() {
  const clock = { at: START, now: () => new Date(clock.at) };
  const shown = memoryPublishedRecords();
  let claims = 0;
  return {
    clock,
    shown,
    /** An environment of its own: nothing of it is shared but what it publishes. */
    environment(name: string) {
      const releases = memoryArtifactStore();
      const deps = {
        environment: name,
        ledger: memoryLedger(),
        clock,
        deployed,
        scoring,
        releases,
        own: releases,
        documents: memoryArtifactStore(),
        lake: memoryLake(),
        machines: memoryStateMachines(),
        checks: memoryProcessingJobs(),
        announcements: memoryAnnouncements(),
        newClaim: () => `claim-${(claims += 1)}`,
        signer: memorySigner(),
        published: shown.of(name),
        peers: shown.peers,
        engine: FEATURE_ENGINE,
        scorer: SCORER,
        online: memoryOnlineFeatures(),
        events: memoryEvents,
        metrics: memoryMetrics(),
        versions: memoryStoredVersions(releases.objects),
        keys: memoryKeys(KEY_STATES),
        aliases: KEY_ALIASES,
      };
      return {
        ...deps,
        /** Appends to the environment's chain, as some use-case of its would. */
        async says(event: AuditEvent, times = 1) {
          for (let time = 0; time < times; time += 1) {
            const operation = operationName('said', JSON.stringify(event), time, clock.at);
            await recordChange(deps, { model: MODEL, operation, writes: [], event });
          }
        },
        chain: () => chainOf(deps.ledger),
        /** The codes of the chain. */
        codes: async () => (await chainOf(deps.ledger)).map(({ code }) => code),
      };
    },
  };
}
export type Environment = ReturnType<ReturnType<typeof world>['environment']>;

/** Publishes what a model's chain says, and tells people. */
export async function publishRecords(own: Parameters<typeof publishModels>[0], model: string, until?: Date) {
  const [result] = await publishModels(own, [model], until);
  return { published: result?.published, upTo: result?.upTo };
}

async function chainOf(ledger: Ledger): Promise<AuditRecord[]> {
  return (await readRecords(ledger, MODEL, 0)).map(({ record }) => record);
}
