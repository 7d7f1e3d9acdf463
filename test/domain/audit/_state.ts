import { createSign, generateKeyPairSync } from 'node:crypto';
import type { Approval } from '#domain/approval/approval.ts';
import { type AuditRecord, EMPTY_CHAIN, nextRecord } from '#domain/audit/chain.ts';
import { changedItems, changesOf } from '#domain/audit/changes.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import type { LedgerState } from '#domain/audit/invariant.ts';
import { replay } from '#domain/audit/replay.ts';
import { governedState } from '#domain/audit/standing.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { evidenceOf, evidenceRoot, evidenceWrite } from '#domain/gates/evidence.ts';
import type { GateId } from '#domain/gates/gate.ts';
import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import type { Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ActivePolicy } from '#domain/policy/activation.ts';
import { NO_PROPAGATION } from '#domain/promotion/pending-propagation.ts';
import { commitPromotion } from '#domain/promotion/commit.ts';
import {
  openPromotion,
  type Promotion,
  promotionName,
  PromotionRequest,
  requestWrite,
} from '#domain/promotion/promotion.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { publishedPointerOf } from '#domain/promotion/published-pointer.ts';
import { rollBack } from '#domain/promotion/rollback.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { type Envelope, keyIdOf, PAYLOAD_TYPES, preAuthenticationEncoding } from '#domain/signature/dsse.ts';
import { ACTIVATION, comparisonRule } from '#test/domain/policy/_rule.ts';

const MODEL = 'flight-delay';
const POLICY = digestOf('policy');
const GATES: readonly GateId[] = ['released-upstream', 'release-integrity', 'better-than-champion'];
export const START = new Date('2026-03-02T09:00:00.000Z');
const pair = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** Signs as the environment's key would. */
export function seal(payloadType: string, text: string, key: string = pair.privateKey): Envelope {
  const sig = createSign('sha256')
    .update(preAuthenticationEncoding(payloadType, Buffer.from(text)))
    .sign(key);
  return {
    payloadType,
    payload: Buffer.from(text).toString('base64'),
    signatures: [{ keyid: keyIdOf(pair.publicKey), sig: sig.toString('base64') }],
  };
}

const transition = {
  gates: [...GATES],
  approvals: [
    { role: 'ml-lead' as const, count: 1 },
    { role: 'platform' as const, count: 1 },
  ],
  opensOnOffer: true,
  evidenceValidHours: 48,
  approvalHours: 24,
};
const policy: Policy = {
  formatVersion: 1,
  model: MODEL,
  activation: ACTIVATION,
  comparison: comparisonRule({ minimumImprovement: 0, minimumDays: 2, minimumRows: 1, minimumSkill: 0 }),
  transitions: { initial: { ...transition, approvals: [] }, staging: transition, prod: transition },
};

/** What is wrong with the last commit of a state, although its decision was made as if it were not. */
export type Lapse = 'no request' | 'withdrawn upstream' | 'policy replaced' | 'never opened';

/** An environment with a baseline, a release that two people approved, another one, and its rollback: all of it in order, but for a lapse. */
export function soundState(lapse?: Lapse): LedgerState {
  const made = states.get(lapse) ?? stateOf(lapse);
  states.set(lapse, made);
  return made;
}
const states = new Map<Lapse | undefined, LedgerState>();

function stateOf(lapse?: Lapse): LedgerState {
  const chain: { record: AuditRecord; hash: Digest; changes: string }[] = [];
  const append = (event: AuditEvent, writes: readonly Write[] = []): void => {
    const last = chain.at(-1);
    const head = last === undefined ? EMPTY_CHAIN : { seq: last.record.seq, hash: last.hash };
    const changes = changesOf(writes);
    const operation = `operation-${chain.length}`;
    chain.push({ ...nextRecord(head, 'prod', MODEL, operation, START, event, digestOf(changes)), changes });
  };
  const decisions = new Map<string, AuditRecord>();
  let opened = 0;
  let pointer: Pointer | undefined;
  const active: ActivePolicy = { formatVersion: 1, policy: POLICY, activation: 1, rules: policy };
  append(
    {
      code: 'POLICY_ACTIVATED',
      actor: 'pipeline:release',
      release: null,
      details: { policy: POLICY, replaces: null, approvedBy: [] },
    },
    [{ kind: 'put', item: { ...keys.policy(MODEL), ...active } }],
  );
  const letIn = (version: string, kind: 'trained' | 'baseline'): void => {
    opened += 1;
    const record = digestOf(`staging releases ${version}`);
    const upstream = Upstream.parse({
      environment: 'staging',
      code: 'RELEASE_PROMOTED',
      release: digestOf(version),
      kind,
      version,
      asOf: '2026-03-01',
      seq: opened,
      record,
      withdrawn: null,
    });
    append(
      {
        code: 'UPSTREAM_RELEASED',
        actor: 'pipeline:intake',
        release: upstream.release,
        details: { peer: 'staging', seq: opened, record, version },
      },
      [{ kind: 'put', item: { ...keys.upstream(MODEL, upstream.release, 'staging'), ...upstream } }],
    );
    const request = PromotionRequest.parse({
      model: MODEL,
      release: upstream.release,
      version,
      kind,
      transition: kind === 'baseline' ? 'initial' : 'prod',
      requestedBy: 'pipeline:staging',
      source: 'staging',
      requestedIn: 'staging',
      requestSeq: opened,
      record,
      asOf: '2026-03-01',
    });
    const isLast = version === '1.0.1';
    if (!isLast || lapse !== 'no request')
      append(
        {
          code: 'PROMOTION_REQUEST_VERIFIED',
          actor: 'pipeline:intake',
          release: request.release,
          details: {
            promotion: promotionName(request),
            transition: request.transition,
            requestedBy: request.requestedBy,
            peer: 'staging',
            seq: opened,
            record,
          },
        },
        [requestWrite(request)],
      );
    const promotion = openPromotion(request, {
      environment: 'prod',
      rule: policy.transitions[kind === 'baseline' ? 'initial' : 'prod'],
      policyDigest: POLICY,
      fencingToken: opened,
      execution: 'arn',
      champion: pointer,
      now: START,
    });
    const pieces = GATES.map((gate) =>
      evidenceOf(promotion, gate, { verdict: 'PASS', reasons: ['fine'], numbers: {} }, null, START),
    );
    for (const piece of pieces) {
      const { gate, verdict, reasons, measure } = piece;
      const details = { promotion: promotion.promotion, gate, verdict, reasons, measure };
      const { release } = promotion;
      append({ code: 'EVIDENCE_RECORDED', actor: 'pipeline:gates', release, details }, [evidenceWrite(piece)]);
    }
    const expiresAt = new Date(START.getTime() + 3_600_000).toISOString();
    if (!isLast || lapse !== 'never opened')
      append(
        {
          code: 'PROMOTION_OPENED',
          actor: 'pipeline:release',
          release: promotion.release,
          details: {
            promotion: promotion.promotion,
            transition: promotion.transition,
            policy: POLICY,
            fencingToken: opened,
            requestedBy: promotion.requestedBy,
            supersedes: null,
          },
        },
        [{ kind: 'put', item: { ...keys.promotion(MODEL, promotion.promotion), ...promotion } }],
      );
    const asked: Promotion =
      promotion.approvals.length === 0
        ? promotion
        : { ...promotion, status: 'awaiting-approval', approvalRequest: { evidence: evidenceRoot(pieces), expiresAt } };
    const own = promotion.approvals.map(({ role }): Approval => {
      const { model, promotion: name, release, environment } = promotion;
      const decision = {
        environment,
        promotion: name,
        transition: promotion.transition,
        policy: POLICY,
        evidence: evidenceRoot(pieces),
        subject: `person:${role}`,
        role,
        decision: 'approve' as const,
        comment: '',
        expiresAt,
      };
      const event: AuditEvent = { code: 'DECISION_MADE', actor: decision.subject, release, details: decision };
      const signed = nextRecord(EMPTY_CHAIN, 'control', model, `decide-${name}-${role}`, START, event);
      decisions.set(signed.hash, signed.record);
      return { formatVersion: 1, model, release, ...decision, statement: signed.hash, status: 'unused' };
    });
    if (own.length > 0 && (!isLast || lapse !== 'never opened')) {
      const details = {
        promotion: promotion.promotion,
        transition: promotion.transition,
        version,
        policy: POLICY,
        evidence: evidenceRoot(pieces),
        requestedBy: promotion.requestedBy,
        approvals: promotion.approvals,
        expiresAt,
        summary: [],
      };
      append({ code: 'APPROVAL_REQUESTED', actor: 'pipeline:release', release: promotion.release, details }, [
        { kind: 'put', item: { ...keys.promotion(MODEL, promotion.promotion), ...asked } },
      ]);
    }
    for (const approval of own) {
      const { subject, role, decision, statement } = approval;
      const details = { promotion: promotion.promotion, subject, role, decision, statement };
      append({ code: 'APPROVAL_RECORDED', actor: subject, release: promotion.release, details }, [
        { kind: 'put', item: { ...keys.approval(MODEL, promotion.promotion, subject), ...approval } },
      ]);
    }
    const committed = commitPromotion(
      {
        promotion: asked,
        request,
        pointer,
        active,
        upstream: new Map([[upstream.environment, upstream]]),
        attestations: new Map(),
        propagation: NO_PROPAGATION,
        evidence: new Map(pieces.map((piece) => [piece.gate, piece])),
        approvals: own,
        isQuarantined: false,
      },
      START,
    );
    if (committed.kind !== 'commit') throw new Error(committed.refusal.found);
    if (isLast && lapse === 'withdrawn upstream') {
      const withdrawn = digestOf('staging rolls it back');
      const details = { peer: 'staging', seq: 9, record: withdrawn, version };
      append({ code: 'UPSTREAM_ROLLED_BACK', actor: 'pipeline:intake', release: upstream.release, details }, [
        { kind: 'put', item: { ...keys.upstream(MODEL, upstream.release, 'staging'), ...upstream, withdrawn } },
      ]);
    }
    if (isLast && lapse === 'policy replaced') {
      const details = { policy: digestOf('stricter'), replaces: POLICY, approvedBy: ['person:lea', 'person:pat'] };
      append({ code: 'POLICY_ACTIVATED', actor: 'pipeline:intake', release: null, details }, [
        { kind: 'put', item: { ...keys.policy(MODEL), ...active, policy: digestOf('stricter'), activation: 2 } },
      ]);
    }
    append(committed.event, committed.writes);
    pointer = committed.pointer;
  };
  letIn('0.1.0', 'baseline');
  letIn('1.0.0', 'trained');
  letIn('1.0.1', 'trained');
  if (pointer === undefined) throw new Error('nothing was promoted');
  const back = rollBack(
    pointer,
    { release: digestOf('1.0.0'), version: '1.0.0' },
    {
      id: 'rollback-1',
      actor: 'person:op',
      reason: 'wrong',
      now: START,
    },
  );
  append(back.event, back.writes);
  const replayed = replay(
    chain.map(({ record, hash, changes }) => ({ ...record, hash, changed: changedItems(changes) })),
  );
  const last = chain.at(-1);
  const moved = last === undefined ? undefined : publishedPointerOf(last.record, last.hash);
  return {
    environment: 'prod',
    model: MODEL,
    now: new Date(START.getTime() + 3_600_000),
    stored: chain.map(({ record, hash, changes }) => ({
      seq: record.seq,
      document: canonicalJson(record),
      hash,
      changes,
    })),
    head: last === undefined ? undefined : { seq: last.record.seq, hash: last.hash },
    ...governedState([...replayed.values()].map(({ item }) => item)),
    predictions: [prediction(back.pointer)],
    baselines: [],
    isReconciling: false,
    objects: [],
    published: {
      publicKeyPem: pair.publicKey,
      records: chain.map(({ record }) => ({
        seq: record.seq,
        envelope: seal(PAYLOAD_TYPES.auditRecord, canonicalJson(record)),
      })),
      newestPointer:
        moved === undefined
          ? undefined
          : { seq: moved.seq, envelope: seal(PAYLOAD_TYPES.pointer, canonicalJson(moved)) },
    },
    decisions,
  };
}

function prediction(pointer: Pointer): LedgerState['predictions'][number] {
  const digest = digestOf('x');
  const object = { bucket: 'lake', key: 'k', versionId: 'v', sha256: digest, size: 1 };
  const { current: release, epoch } = pointer;
  return {
    formatVersion: 1,
    model: MODEL,
    day: '2026-03-01',
    features: digest,
    release,
    scorer: digest,
    schema: digest,
    object,
    lineage: null,
    rows: 1,
    run: 'r',
    epoch,
    publishedAt: START.toISOString(),
  };
}
