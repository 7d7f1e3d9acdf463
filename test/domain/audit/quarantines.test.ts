import { describe, expect, it } from 'vitest';
import { EMPTY_CHAIN, nextRecord } from '#domain/audit/chain.ts';
import { changesOf } from '#domain/audit/changes.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import type { ReadRecord } from '#domain/audit/invariant.ts';
import { nothingQuarantined, quarantinesVoted } from '#domain/audit/invariants/quarantines.ts';
import { governedState } from '#domain/audit/standing.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import {
  isAutomatic,
  liftWrite,
  type Quarantine,
  type QuarantineApproval,
  quarantineApprovalItem,
} from '#domain/promotion/quarantine.ts';
import { ACTIVATION } from '#test/domain/policy/_rule.ts';
import { soundState, START } from './_state.ts';

const MODEL = 'flight-delay';
const RELEASE = digestOf('1.0.1');
const HOUR = 3_600_000;
const at = (hours: number): Date => new Date(START.getTime() + hours * HOUR);

const quarantine: Quarantine = {
  release: RELEASE,
  version: '1.0.1',
  reason: 'errors',
  rollback: 'alarm-1',
  actor: 'pipeline:alarms',
  at: START.toISOString(),
  status: 'active',
};
const vote = (subject: string, role: 'platform' | 'risk', overrides: Partial<QuarantineApproval> = {}) =>
  quarantineApprovalItem({
    formatVersion: 1,
    model: MODEL,
    release: RELEASE,
    rollback: 'alarm-1',
    subject,
    role,
    reason: 'the store was down',
    statement: digestOf(`${subject} says so`),
    expiresAt: at(24).toISOString(),
    ...overrides,
  });
const BOTH = [vote('person:pat', 'platform'), vote('person:eve', 'risk')];
const inForce = soundState().standing.find(({ pk, sk }) => pk === keys.policy(MODEL).pk && sk === 'ACTIVE');
const write = liftWrite(MODEL, quarantine, ['person:pat', 'person:eve'], at(1));
const lifted: readonly Item[] = write.kind === 'put' ? [write.item] : [];

const rolledBack: AuditEvent = {
  code: 'RELEASE_ROLLED_BACK',
  actor: 'pipeline:alarms',
  release: digestOf('1.0.0'),
  details: { rollback: 'alarm-1', version: '1.0.0', from: RELEASE, reason: 'errors', pointerSeq: 5, epoch: 5 },
};
const notified: AuditEvent = {
  code: 'APPROVERS_NOTIFIED',
  actor: 'pipeline:intake',
  release: null,
  details: { environment: 'prod', promotion: 'p' },
};
const lift = (overrides: Partial<Extract<AuditEvent, { code: 'QUARANTINE_LIFTED' }>['details']> = {}): AuditEvent => ({
  code: 'QUARANTINE_LIFTED',
  actor: 'pipeline:intake',
  release: RELEASE,
  details: { rollback: 'alarm-1', version: '1.0.1', approvedBy: ['person:pat', 'person:eve'], ...overrides },
});

/** A chain of acts, each with the items that it put; an hour passes between each two. */
function chain(...acts: readonly (readonly [AuditEvent, readonly Item[]])[]): readonly ReadRecord[] {
  const records: ReadRecord[] = [];
  for (const [index, [event, changed]] of acts.entries()) {
    const last = records.at(-1);
    const head = last === undefined ? EMPTY_CHAIN : { seq: last.record.seq, hash: last.hash };
    const changes = digestOf(changesOf(changed.map((item) => ({ kind: 'put', item }))));
    const { record, hash } = nextRecord(head, 'prod', MODEL, `operation-${index}`, at(index), event, changes);
    records.push({ record, hash, changed });
  }
  return records;
}

/** A rollback, what was voted on it, and what lifts it. */
function after({
  made = quarantine,
  votes = BOTH,
  act = [lift(), lifted] as const,
}: {
  readonly made?: Quarantine;
  readonly votes?: readonly Item[];
  readonly act?: readonly [AuditEvent, readonly Item[]];
}): readonly ReadRecord[] {
  const policy = inForce === undefined ? [] : [inForce];
  return chain([rolledBack, [...policy, { ...keys.quarantine(MODEL, RELEASE), ...made }]], [notified, votes], act);
}

describe('a quarantine that was lifted', () => {
  it('was so by enough people of the roles that the policy in force names', () => {
    expect(ACTIVATION.map(({ role }) => role)).toEqual(['platform', 'risk']);
    expect(quarantinesVoted.check(soundState(), after({}))).toEqual([]);
  });

  it.each([
    ['one person', { votes: BOTH.slice(0, 1) }, 'without 1 of risk'],
    ['one person in two roles', { votes: [BOTH[0], vote('person:pat', 'risk', {})] }, 'without 1 of'],
    ['a vote on another rollback', { votes: [BOTH[0], vote('person:eve', 'risk', { rollback: 'alarm-0' })] }, 'risk'],
    [
      'a vote that had expired',
      { votes: [BOTH[0], vote('person:eve', 'risk', { expiresAt: at(2).toISOString() })] },
      'without 1 of risk',
    ],
    ['votes, although a person had made it', { made: { ...quarantine, actor: 'person:op' } }, 'quarantine-automatic'],
    ['votes on another rollback', { made: { ...quarantine, rollback: 'alarm-2' } }, 'alarm-2 made it'],
    ['a record of something else', { act: [notified, lifted] }, 'APPROVERS_NOTIFIED (record 2) lifts'],
    ['a record that puts nothing', { act: [lift(), []] }, 'lifts nothing'],
    ['a record of another rollback', { act: [lift({ rollback: 'alarm-9' }), lifted] }, 'for alarm-9'],
    ['nobody, as it is lifted already', { made: { ...quarantine, status: 'lifted' } }, 'quarantine-known'],
  ] as const)('is found where it was so by %s', (_, given, found) => {
    const records = after(given as Parameters<typeof after>[0]);
    expect(quarantinesVoted.check(soundState(), records).join('\n')).toContain(found);
  });

  it('is the only reason why a digest that was rolled back is not quarantined', () => {
    const state = { ...soundState(), ...governedState([]) };
    const free = [`${RELEASE} was rolled back (record 0) and is not quarantined`];
    expect(nothingQuarantined.check(state, after({}))).toEqual([]);
    expect(nothingQuarantined.check(state, after({ act: [notified, []] }))).toEqual(free);
    expect(nothingQuarantined.check(state, after({ act: [lift({ rollback: 'alarm-0' }), lifted] }))).toEqual(free);
    // Lifted before the rollback, and not after it.
    expect(nothingQuarantined.check(state, chain([lift(), []], [rolledBack, []]))).toEqual([
      `${RELEASE} was rolled back (record 1) and is not quarantined`,
    ]);
  });

  it('is read from its item, and any other item keeps its digest away', () => {
    const item = { ...keys.quarantine(MODEL, RELEASE), release: RELEASE };
    const standing = (...items: readonly Item[]) => governedState(items).quarantined;
    expect(standing(item)).toEqual([RELEASE]);
    expect(standing({ ...item, status: 'lift' })).toEqual([RELEASE]);
    expect(standing(...lifted)).toEqual([]);
  });

  it.each([
    ['pipeline:alarms', true],
    ['pipeline:gates', true],
    ['person:op', false],
    ['person:pipeline:gates', false],
    [' pipeline:gates', false],
    ['cron', false],
  ])('was automatic where the pipeline made it: %s', (actor, automatic) => {
    expect(isAutomatic({ actor })).toBe(automatic);
  });
});
