import type { AuditRecord } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { keys } from '#domain/ledger/keys.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { promotionName, type PromotionRequest } from '#domain/promotion/promotion.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { followPeer, type Following } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { promote, type MachineContext } from './_machine.ts';
import { admitDays } from './_admitted.ts';
import { type Environment, hours, MODEL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

/** What asks for a promotion into prod. */
export function request(release: Digest, overrides: Partial<PromotionRequest> = {}): PromotionRequest {
  return {
    model: MODEL,
    release,
    version: '0.1.1',
    kind: 'trained',
    transition: 'prod',
    requestedBy: 'person:eng',
    source: 'staging',
    requestedIn: 'control',
    requestSeq: 1,
    record: digestOf(`record that requests ${release}`),
    asOf: '2001-01-20',
    ...overrides,
  };
}

/** Prod as it hears that staging released something. */
export async function released(
  prod: Environment,
  { release, version, kind, asOf, source }: PromotionRequest,
): Promise<void> {
  const record = digestOf(`record of ${release}`);
  const upstream: Upstream = {
    environment: source,
    code: 'RELEASE_PROMOTED',
    release,
    kind,
    version,
    asOf,
    seq: 3,
    record,
    withdrawn: null,
  };
  await prod.ledger.transact(
    [{ kind: 'put', item: { ...keys.upstream(MODEL, release, source), ...upstream } }],
    `upstream ${release.slice(7, 20)}`,
  );
}

/** What control's chain says of a person's decision, as it reaches prod. */
export async function decides(
  prod: Environment,
  control: Environment,
  name: string,
  subject: string,
  role: 'ml-lead' | 'platform' | 'risk',
  overrides: Partial<Extract<AuditEvent, { code: 'DECISION_MADE' }>['details']> & { readonly release?: Digest } = {},
): Promise<void> {
  const promotion = await findPromotion(prod.ledger, MODEL, name);
  if (promotion === undefined) throw new Error(`no approval was requested of ${name}`);
  const { release = promotion.release, ...details } = overrides;
  const event: AuditEvent = {
    code: 'DECISION_MADE',
    actor: `person:${subject}`,
    release,
    details: {
      environment: 'prod',
      promotion: name,
      transition: promotion.transition,
      policy: promotion.policy,
      evidence: promotion.approvalRequest?.evidence ?? digestOf('nothing'),
      subject: `person:${subject}`,
      role,
      decision: 'approve',
      comment: '',
      expiresAt: new Date(prod.clock.now().getTime() + hours(24)).toISOString(),
      ...details,
    },
  };
  await control.says(event);
  const record = (await control.chain()).at(-1);
  if (record === undefined) throw new Error('control said nothing');
  await hear(prod, record);
}

/** An environment takes in one record of a peer. */
export async function hear(deps: Following, record: AuditRecord): Promise<void> {
  const handle = followPeer(deps);
  await handle(record, digestOf(canonicalJson(record)), (other) => readPeer(deps, other, record.model, handle));
}

/** Staging and prod, with data until a day, and the baseline in production. */
export async function scene(lastDay = '2001-01-25') {
  const all = world();
  const [staging, prod, control] = [all.environment('staging'), all.environment('prod'), all.environment('control')];
  await admitDays(prod.ledger, '2001-01-10', lastDay);
  const baseline = await makeRelease(staging.releases, 'baseline', 'baseline');
  const first = request(baseline, {
    version: '0.1.0',
    kind: 'baseline',
    transition: 'initial',
    requestedBy: 'pipeline:staging',
    requestedIn: 'staging',
    requestSeq: 0,
  });
  const around = { source: staging };
  const both = (name: string) => async (): Promise<void> => {
    await decides(prod, control, name, 'lea', 'ml-lead');
    await decides(prod, control, name, 'pat', 'platform');
  };
  /** Makes a release that staging has let through, and the request for it; people approve, and it gains two per cent. */
  const candidate = async (
    text: string,
    overrides: Partial<PromotionRequest> = {},
    contents?: Parameters<typeof makeRelease>[3],
  ) => {
    const asked = request(await makeRelease(staging.releases, text, 'trained', contents), overrides);
    await released(prod, asked);
    const name = promotionName(asked);
    const well: MachineContext = { ...around, measured: fortnight(0.02), people: both(name) };
    return { request: asked, name, release: asked.release, well };
  };
  return {
    ...all,
    staging,
    prod,
    control,
    baseline,
    first,
    around,
    candidate,
    /** Lets the baseline in, and with it the policy that is deployed. */
    async begin(into = prod) {
      await released(into, first);
      await promote(into, first, around);
    },
    /** Lets a release in, all the way. */
    async letIn(text: string, overrides: Partial<PromotionRequest> = {}) {
      const made = await candidate(text, overrides);
      const { path } = await promote(prod, made.request, made.well);
      if (path.at(-1) !== 'Promoted') throw new Error(`${text} ended in ${path.at(-1)}`);
      return made;
    },
  };
}
