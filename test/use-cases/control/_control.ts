import { memoryLedger } from '#adapters/memory/ledger.ts';
import { memoryDirectory, memoryNotices } from '#adapters/memory/people.ts';
import { AuditRecord, EMPTY_CHAIN, nextRecord, recordOf } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { receiveRequest } from '#use-cases/control/receive-request.ts';

export const MODEL = 'flight-delay';
export const PROMOTION = 'flight-delay-0123456789ab-prod-staging-7';
export const RELEASE = digestOf('release');
export const EVIDENCE = digestOf('evidence');
export const START = Date.parse('2026-03-02T09:00:00.000Z');
export const hours = (count: number): number => count * 3_600_000;

/** Control with three people, its clock at 09:00 on a Monday. */
export function control() {
  const clock = { at: START, now: () => new Date(clock.at) };
  const ledger = memoryLedger();
  const directory = memoryDirectory({
    lea: ['ml-lead'],
    pat: ['platform'],
    both: ['ml-lead', 'platform'],
    eve: ['risk'],
    eng: ['ml-engineer'],
  });
  const notices = memoryNotices();
  const deps = { environment: 'control', ledger, clock, directory, notices, models: [MODEL] };
  const records: { record: AuditRecord; hash: Digest }[] = [];
  const receive = receiveRequest(deps);
  return {
    ...deps,
    clock,
    /** What a target's chain says reaches control. */
    async hears(event: AuditEvent, environment = 'prod', times = 1) {
      const last = records.at(-1);
      const head = last === undefined ? EMPTY_CHAIN : { seq: last.record.seq, hash: last.hash };
      const made = nextRecord(head, environment, MODEL, `operation-${records.length}`, clock.now(), event);
      records.push(made);
      for (let time = 0; time < times; time += 1) await receive(made.record, made.hash);
      return made;
    },
    /** What people have said, as control's own chain has it. */
    async chain() {
      const items = await ledger.query(keys.chainBucket(MODEL, 0));
      return items.map((item) => recordOf(item).record).filter(({ actor }) => actor.startsWith('person:'));
    },
  };
}

/** A target asks people: one ML lead and one of the platform, until 48 hours from now. */
export function asks(
  overrides: Partial<Extract<AuditEvent, { code: 'APPROVAL_REQUESTED' }>['details']> = {},
): AuditEvent {
  return {
    code: 'APPROVAL_REQUESTED',
    actor: 'pipeline:release',
    release: RELEASE,
    details: {
      promotion: PROMOTION,
      transition: 'prod',
      version: '1.2.0',
      policy: digestOf('policy'),
      evidence: EVIDENCE,
      requestedBy: 'person:eng',
      approvals: [
        { role: 'ml-lead', count: 1 },
        { role: 'platform', count: 1 },
      ],
      expiresAt: new Date(START + hours(48)).toISOString(),
      summary: ['better-than-champion: PASS'],
      ...overrides,
    },
  };
}
