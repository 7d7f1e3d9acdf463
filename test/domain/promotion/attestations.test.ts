import { describe, expect, it } from 'vitest';
import { attestationsKey, NewestAttestations, withAttestation } from '#domain/attestation/newest.ts';
import { evidenceRoot } from '#domain/gates/evidence.ts';
import { keyOf, keyText } from '#domain/ledger/item.ts';
import { groundChecks, type GroundsState, judgeGrounds, whyNotCommitting } from '#domain/promotion/grounds.ts';
import { attests, CI, COMMIT, PERSON, RULE, TESTS } from '../gates/_attestations.ts';
import { admissible, inForce, MODEL, NOW, policy, said } from './_case.ts';

const tests = attests('unit-tests', TESTS, { model: MODEL, at: NOW.toISOString() });
const KEY = attestationsKey(MODEL, 'unit-tests', { kind: 'commit', commit: COMMIT });

/** A promotion that pins `unit-tests` too, whose gate has passed, with what is attested now. */
function state(newest: NewestAttestations | undefined, commit: string = COMMIT): GroundsState {
  const from = admissible();
  const gates = ['released-upstream', 'unit-tests'] as const;
  const active = inForce();
  const prod = { ...policy.transitions.prod, gates: [...gates] };
  const [piece] = from.evidence.values();
  if (piece === undefined || from.promotion.approvalRequest === null) throw new Error('no evidence');
  const evidence = new Map(gates.map((gate) => [gate, { ...piece, gate }]));
  const root = evidenceRoot([...evidence.values()]);
  return {
    ...from,
    active: {
      ...active,
      rules: { ...active.rules, attestations: RULE, transitions: { ...policy.transitions, prod } },
    },
    evidence,
    upstream: new Map([...from.upstream, ['dev', { ...said('dev'), commit }]]),
    attestations: new Map(newest === undefined ? [] : [[keyText(KEY), newest]]),
    promotion: {
      ...from.promotion,
      gates: [...gates],
      approvalRequest: { ...from.promotion.approvalRequest, evidence: root },
    },
    approvals: from.approvals.map((approval) => ({ ...approval, evidence: root })),
  };
}

const kept = withAttestation(undefined, tests);
const refusedBy = (of: GroundsState) => whyNotCommitting(judgeGrounds(of, NOW))?.rule;

describe('what a commit rests on', () => {
  it('is what is attested at that moment, not what its gate has seen', () => {
    if (kept === undefined) throw new Error('nothing was kept');
    expect(refusedBy(state(kept))).toBeUndefined();
    expect(refusedBy(state(undefined))).toBe('attestations-hold');
    const failing = { ...tests, seq: tests.seq + 1, finding: { ...TESTS, failed: 1 } };
    expect(refusedBy(state(withAttestation(kept, failing)))).toBe('attestations-hold');
  });

  it('is of the commit that whoever trained it has signed for', () => {
    expect(refusedBy(state(kept, 'f'.repeat(40)))).toBe('attestations-hold');
    expect(refusedBy(state(kept, `${COMMIT}+changes`))).toBe('attestations-hold');
  });

  it('is checked by the transaction that commits', () => {
    const checks = groundChecks(state(kept)).filter((write) => keyText(keyOf(write)) === keyText(KEY));
    expect(checks).toEqual([{ kind: 'check', key: KEY, condition: { kind: 'equals', values: { count: 1 } } }]);
  });
});

describe('the newest word of each source', () => {
  it('replaces its earlier one, and nobody else’s', () => {
    const again = { ...tests, seq: tests.seq + 5 };
    const claim = { ...tests, producer: PERSON, seq: tests.seq + 6 };
    const all = [tests, again, claim].reduce<NewestAttestations | undefined>(
      (known, each) => withAttestation(known, each) ?? known,
      undefined,
    );
    expect(all?.newest.map(({ seq }) => seq - tests.seq)).toEqual([5, 6]);
    expect(all?.count).toBe(3);
  });

  it('is not replaced by one that comes late or twice', () => {
    const later = withAttestation(undefined, { ...tests, seq: tests.seq + 1 });
    expect(withAttestation(later, tests)).toBeUndefined();
    expect(withAttestation(kept, tests)).toBeUndefined();
  });

  it('remembers CI under a flood of claims', () => {
    const many = Array.from({ length: 40 }, (_, nth) => ({
      ...tests,
      producer: { ...PERSON, subject: `person:p${nth}` },
      seq: tests.seq + nth + 1,
    })).reduce<NewestAttestations | undefined>((known, each) => withAttestation(known, each) ?? known, kept);
    expect(many?.newest).toHaveLength(24);
    expect(many?.newest.map(({ producer }) => producer)).toContainEqual(CI);
    // Nor does it hide what one of those people has said before.
    expect(many?.newest.map(({ producer }) => producer)).toContainEqual({ ...PERSON, subject: 'person:p0' });
    expect(NewestAttestations.safeParse(many).success).toBe(true);
  });
});
