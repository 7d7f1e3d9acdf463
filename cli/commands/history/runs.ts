import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import { type Report, shortTime } from '../../report.ts';
import { percent } from '#domain/text.ts';

/** A retraining run as the chain of dev tells it: what it registered, and what was decided. */
export interface RunEnd {
  readonly run: string;
  readonly asOf: string;
  readonly startedAt: string;
  readonly versions: readonly string[];
  /** `offered 1.2.0`, `rejected`, `held`, `data refused`, `failed`; undefined while nothing was decided. */
  readonly conclusion: string | undefined;
  readonly reasons: readonly string[];
  /** The place of the newest record of the run in the audit chain. */
  readonly record: number;
}

/** The retraining runs of a model and how each ended, newest first. */
export function runsOf(records: readonly AuditRecord[]): readonly RunEnd[] {
  const runs = new Map<string, RunEnd>();
  for (const record of records) {
    const said = sayingOf(record);
    if (said === undefined) continue;
    const { run, asOf, version, ...ended } = said;
    const known = runs.get(run);
    // A run that began before this chain knew runs has its first record in the middle.
    const before = known ?? {
      run,
      asOf: asOf ?? '',
      startedAt: record.at,
      versions: [],
      conclusion: undefined,
      reasons: [],
    };
    runs.set(run, {
      ...before,
      ...ended,
      versions: version === undefined ? before.versions : [...before.versions, version],
      record: record.seq,
    });
  }
  return [...runs.values()].toReversed();
}

interface Saying {
  readonly run: string;
  readonly asOf?: string;
  readonly version?: string;
  readonly conclusion?: string;
  readonly reasons?: readonly string[];
}

function sayingOf(record: AuditRecord): Saying | undefined {
  switch (record.code) {
    case 'RETRAINING_STARTED': {
      const { run, asOf } = detailsOf(record, record.code);
      return { run, asOf };
    }
    case 'BASELINE_REGISTERED':
    case 'RELEASE_REGISTERED': {
      const { run, asOf, version } = detailsOf(record, record.code);
      return { run, asOf, version };
    }
    case 'RELEASE_OFFERED': {
      const { run, asOf, version, improvement } = detailsOf(record, record.code);
      const gain = `${improvement >= 0 ? '+' : ''}${percent(improvement)} against production`;
      return { run, asOf, conclusion: `offered ${version}`, reasons: [gain] };
    }
    case 'CANDIDATES_REJECTED':
    case 'CANDIDATES_HELD': {
      const { run, asOf, reasons } = detailsOf(record, record.code);
      return { run, asOf, reasons, conclusion: record.code === 'CANDIDATES_HELD' ? 'held' : 'rejected' };
    }
    case 'RUN_FAILED': {
      const { machine, run, error } = detailsOf(record, record.code);
      return machine === 'retraining' || machine === 'validation'
        ? { run, conclusion: 'failed', reasons: [error] }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** The history of a model where it is trained. */
export function runsReport(model: string, runs: readonly RunEnd[]): Report {
  return {
    data: { model, environment: 'dev', runs },
    sections: [
      {
        title: `${model} in dev`,
        columns: ['run', 'as of', 'started', 'registered', 'conclusion', 'because', 'record'],
        rows: runs.map(({ run, asOf, startedAt, versions, conclusion, reasons, record }) => [
          run,
          asOf,
          shortTime(startedAt),
          versions.join(', ') || 'nothing',
          conclusion ?? 'none yet',
          reasons.join('; ').slice(0, 160),
          String(record),
        ]),
        empty: `nothing was trained yet; begin: gatehouse run start ${model}`,
      },
    ],
  };
}
