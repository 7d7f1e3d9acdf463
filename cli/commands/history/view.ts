import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import { type Report, shortDigest, shortTime } from '../../report.ts';
import { percent } from '#domain/text.ts';

/** A time during which one release was in production. */
export interface Tenure {
  readonly version: string;
  readonly release: string;
  readonly from: string;
  /** Null while it is there. */
  readonly to: string | null;
  readonly act: 'promotion' | 'hotfix' | 'rollback';
  readonly letInBy: readonly string[];
  readonly askedForBy: string;
  readonly because: string;
  /** Whether it counts as something to go back to, and since when, if that was not so from its beginning. */
  readonly standing: string;
  /** Its place in the audit chain. */
  readonly record: number;
}

/** What was in production, newest first, from the acts of an environment's chain. */
export function historyOf(records: readonly AuditRecord[]): readonly Tenure[] {
  const acts: Tenure[] = [];
  for (const record of records) {
    const tenure = tenureOf(record);
    if (tenure !== undefined) acts.push(tenure);
    const last = acts.at(-1);
    if (last === undefined) continue;
    if (record.code === 'RELEASE_JUDGED') acts[acts.length - 1] = { ...last, standing: judgedOf(record) };
    if (record.code === 'RELEASE_CONFIRMED') {
      const judged = last.standing.startsWith(JUDGED) ? `, ${last.standing}` : '';
      acts[acts.length - 1] = { ...last, standing: `confirmed ${shortTime(record.at)} by ${record.actor}${judged}` };
    }
  }
  return acts
    .map((act, index) => {
      const next = acts[index + 1];
      // What is served and came past staging owes that until another release is promoted.
      const isPropagationPending = act.act === 'hotfix' && next === undefined;
      return {
        ...act,
        to: next?.from ?? null,
        standing: isPropagationPending ? `${act.standing}, not propagated` : act.standing,
      };
    })
    .toReversed();
}

const JUDGED = 'judged';

/** By which rule a release was judged while it was served, and on how many of its labels. */
function judgedOf(record: AuditRecord): string {
  const { verdict, rule, maturity } = detailsOf(record, 'RELEASE_JUDGED');
  const found = verdict === 'CONFIRM' ? 'to be kept' : 'to be rolled back';
  const labels = `${maturity.matured} labels (${percent(maturity.share, 0)})`;
  return `${JUDGED} ${found} ${shortTime(record.at)} by the ${rule} rule on ${labels}`;
}

function tenureOf(record: AuditRecord): Tenure | undefined {
  const base = { release: record.release ?? '', from: record.at, to: null, record: record.seq, standing: 'confirmed' };
  switch (record.code) {
    case 'RELEASE_PROMOTED': {
      const { version, approvedBy, requestedBy, promotion, hotfix, probationUntil } = detailsOf(record, record.code);
      const standing = probationUntil === undefined ? base.standing : `provisional until ${shortTime(probationUntil)}`;
      const because = hotfix === undefined ? promotion : hotfix.reason;
      const asked = { askedForBy: requestedBy, because, standing };
      const act = hotfix === undefined ? 'promotion' : 'hotfix';
      return { ...base, ...asked, act, version, letInBy: approvedBy };
    }
    case 'RELEASE_ROLLED_BACK': {
      const { version, reason } = detailsOf(record, record.code);
      return { ...base, act: 'rollback', version, letInBy: [record.actor], askedForBy: record.actor, because: reason };
    }
    default:
      return undefined;
  }
}

/** The history of a model in an environment. */
export function historyReport(model: string, environment: string, tenures: readonly Tenure[]): Report {
  return {
    data: { model, environment, history: tenures },
    sections: [
      {
        title: `${model} in ${environment}`,
        columns: [
          'version',
          'release',
          'from',
          'to',
          'by',
          'standing',
          'promoted by',
          'requested by',
          'because',
          'record',
        ],
        rows: tenures.map((tenure) => [
          tenure.version,
          shortDigest(tenure.release),
          shortTime(tenure.from),
          tenure.to === null ? 'now' : shortTime(tenure.to),
          tenure.act,
          tenure.standing,
          tenure.letInBy.join(', ') || 'the policy requires nobody',
          tenure.askedForBy,
          tenure.because,
          String(tenure.record),
        ]),
        empty: 'nothing has been in production here',
      },
    ],
  };
}
