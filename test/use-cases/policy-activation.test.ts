import { beforeEach, describe, expect, it } from 'vitest';
import { memoryDirectory } from '#adapters/memory/people.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { type DeployedModels, policyDigest } from '#domain/model/deployed.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { publishRecords } from '#use-cases/announcements/publish-records.ts';
import { decidePolicy } from '#use-cases/control/decide-policy.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { readActivePolicy } from '#use-cases/promotion/ledger-state.ts';
import { scene } from './_scene.ts';
import { deployed as first, type Environment, hours, MODEL, policy } from './_world.ts';

/** What is to come: more days, and nobody but one person to change it. */
const NEXT: Policy = {
  ...policy,
  activation: [{ role: 'platform', count: 2 }],
  comparison: { ...policy.comparison, minimumDays: 10 },
};
const under = (one: Policy): DeployedModels => ({
  ...first,
  models: first.models.map((model) => ({ ...model, policy: one })),
});

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
let control: Environment;
beforeEach(async () => {
  here = await scene();
  ({ control } = here);
  await here.begin();
  prod = { ...here.prod, deployed: under(NEXT) };
});

const directory = memoryDirectory({
  pat: ['platform'],
  pia: ['platform'],
  eve: ['risk'],
  both: ['platform', 'risk'],
  eng: ['ml-engineer'],
  nobody: [],
});

/** A person says so in control, and prod hears of it; the time passes in which a repetition is the same wish. */
async function wishes(username: string, { digest = policyDigest(NEXT), into = prod, ...role }: Wish = {}) {
  const asking = { ...control, directory, models: [MODEL] };
  const result = await decidePolicy(asking, username, {
    model: MODEL,
    environment: 'prod',
    policy: digest,
    comment: '',
    ...role,
  });
  here.clock.at += hours(0.1);
  await publishRecords(control, MODEL);
  await readPeer(into, 'control', MODEL, followPeer(into));
  return result;
}
interface Wish {
  readonly digest?: Digest;
  readonly into?: Environment;
  readonly role?: 'platform' | 'risk';
}
const inForce = async () => (await readActivePolicy(prod.ledger, MODEL))?.policy;
const last = async () => (await prod.chain()).at(-1);

describe('a policy that is deployed', () => {
  it('comes into force when those have asked whom the policy in force names', async () => {
    await wishes('pat');
    expect(await inForce()).toBe(policyDigest(policy));
    await wishes('eve');
    expect(await inForce()).toBe(policyDigest(NEXT));
    expect(await last()).toMatchObject({
      code: 'POLICY_ACTIVATED',
      details: { policy: policyDigest(NEXT), replaces: policyDigest(policy), approvedBy: ['person:eve', 'person:pat'] },
    });
    expect((await readActivePolicy(prod.ledger, MODEL))?.rules).toEqual(NEXT);
  });

  it('is not brought in by its own rule, nor by one person in two roles', async () => {
    await wishes('pat');
    await wishes('pia');
    expect(await inForce()).toBe(policyDigest(policy));
    const other = await scene();
    await other.begin();
    here = other;
    ({ control } = other);
    prod = { ...other.prod, deployed: under(NEXT) };
    await wishes('both', { role: 'platform' });
    await wishes('both', { role: 'risk' });
    expect(await inForce()).toBe(policyDigest(policy));
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'approval-once' } });
  });

  it('needs to be asked for anew each time that it is to replace another', async () => {
    await wishes('pat');
    await wishes('eve');
    const back = { ...prod, deployed: under(policy) };
    await wishes('pia', { digest: policyDigest(policy), into: back });
    await wishes('pat', { digest: policyDigest(policy), into: back });
    expect(await inForce()).toBe(policyDigest(policy));
    await wishes('pat');
    expect(await inForce()).toBe(policyDigest(policy));
    await wishes('eve');
    expect(await inForce()).toBe(policyDigest(NEXT));
  });

  it('asked for twice in a minute is asked for once, and once more after it came in changes nothing', async () => {
    await wishes('pat');
    await wishes('eve');
    const before = (await prod.chain()).length;
    await wishes('pia');
    expect((await prod.chain()).length).toBe(before);
  });

  it.each([
    ['that is not deployed', 'pat', { digest: digestOf('other') }, 'policy-deployed'],
    ['in a role that is not asked', 'eng', {}, 'approval-role'],
  ] as const)('is refused %s, and people hear of it', async (_, who, wish, rule) => {
    await wishes(who, wish);
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule } });
    expect(await inForce()).toBe(policyDigest(policy));
  });

  it.each([
    ['in no role', 'nobody', 'approval-role'],
    ['in two, of which none is named', 'both', 'approval-role-named'],
  ])('is not asked for by who is %s', async (_, who, rule) => {
    expect(await wishes(who)).toMatchObject({ kind: 'refused', refusal: { rule } });
    expect(await control.codes()).not.toContain('POLICY_DECIDED');
  });

  it('cannot be asked for where there is none in force', async () => {
    const fresh = await scene();
    here = fresh;
    ({ control } = fresh);
    prod = fresh.prod;
    await wishes('pat', { digest: policyDigest(policy) });
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'policy-in-force' } });
  });
});
