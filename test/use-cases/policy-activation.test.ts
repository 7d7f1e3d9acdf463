import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { type DeployedModels, policyDigest } from '#domain/model/deployed.ts';
import { OPERATIONS_DEFAULT } from '#domain/policy/operations.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { readActivePolicy, readOperations } from '#read-model/policy.ts';
import { decidePolicy } from '#use-cases/control/decide-policy.ts';
import { promote } from './_machine.ts';
import { scene } from './_scene.ts';
import { deployed as first, type Environment, hours, MODEL, policy } from './_environments.ts';
import { directory, hearsControl } from './_voting.ts';

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

/** A person says so in control, and prod hears of it; the time passes in which a repetition is the same vote. */
async function votes(username: string, { digest = policyDigest(NEXT), into = prod, replaces, ...role }: Vote = {}) {
  const asking = { ...control, directory, models: [MODEL] };
  const active = await readActivePolicy(into.ledger, MODEL);
  const result = await decidePolicy(asking, username, {
    model: MODEL,
    environment: 'prod',
    policy: digest,
    replaces: active?.policy ?? policyDigest(policy),
    activation: active?.activation ?? 1,
    ...replaces,
    comment: '',
    ...role,
  });
  await hearsControl({ ...here, control }, into);
  return result;
}
interface Vote {
  readonly replaces?: { readonly replaces: Digest; readonly activation: number };
  readonly digest?: Digest;
  readonly into?: Environment;
  readonly role?: 'platform' | 'risk';
}
const inForce = async () => (await readActivePolicy(prod.ledger, MODEL))?.policy;
const last = async () => (await prod.chain()).at(-1);

describe('a policy that is deployed', () => {
  it('comes into force when those have asked whom the policy in force names', async () => {
    await votes('pat');
    expect(await inForce()).toBe(policyDigest(policy));
    await votes('eve');
    expect(await inForce()).toBe(policyDigest(NEXT));
    expect(await last()).toMatchObject({
      code: 'POLICY_ACTIVATED',
      details: { policy: policyDigest(NEXT), replaces: policyDigest(policy), approvedBy: ['person:pat', 'person:eve'] },
    });
    expect((await readActivePolicy(prod.ledger, MODEL))?.rules).toEqual(NEXT);
  });

  it('says how operations go only where none was ever in force', async () => {
    const operations = { ...OPERATIONS_DEFAULT, rehashDays: 7, retentionDays: 90 };
    const later = under({ ...NEXT, operations });
    const inForceNow = policy.operations ?? OPERATIONS_DEFAULT;
    expect(await readOperations(prod.ledger, later, MODEL)).toEqual(inForceNow);
    expect(await readOperations(control.ledger, later, MODEL)).toEqual(operations);
    expect(await readOperations(control.ledger, later, 'removed')).toEqual(OPERATIONS_DEFAULT);
  });

  it('is not brought in by its own rule, nor by one person in two roles', async () => {
    await votes('pat');
    await votes('pia');
    expect(await inForce()).toBe(policyDigest(policy));
    const other = await scene();
    await other.begin();
    here = other;
    ({ control } = other);
    prod = { ...other.prod, deployed: under(NEXT) };
    await votes('both', { role: 'platform' });
    await votes('both', { role: 'risk' });
    expect(await inForce()).toBe(policyDigest(policy));
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'approval-once' } });
  });

  it('needs to be asked for anew each time that it is to replace another', async () => {
    await votes('pat');
    await votes('eve');
    const back = { ...prod, deployed: under(policy) };
    await votes('pia', { digest: policyDigest(policy), into: back });
    await votes('pat', { digest: policyDigest(policy), into: back });
    expect(await inForce()).toBe(policyDigest(policy));
    await votes('pat');
    expect(await inForce()).toBe(policyDigest(policy));
    await votes('eve');
    expect(await inForce()).toBe(policyDigest(NEXT));
  });

  it('asked for twice in a minute is asked for once, and once more after it came in changes nothing', async () => {
    await votes('pat');
    await votes('eve');
    const before = (await prod.chain()).length;
    await votes('pia');
    expect((await prod.chain()).length).toBe(before);
  });

  it('is not activated by votes of which one has expired; who votes again counts again', async () => {
    await votes('pat');
    // The policy in force gives people 48 hours.
    here.clock.at += hours(48);
    await votes('eve');
    expect(await inForce()).toBe(policyDigest(policy));
    await votes('pat');
    expect(await inForce()).toBe(policyDigest(NEXT));
    expect(await last()).toMatchObject({ details: { approvedBy: ['person:pat', 'person:eve'] } });
  });

  it('is not activated by a vote that replaces another policy than the one in force', async () => {
    const seen = { replaces: policyDigest(policy), activation: 1 };
    await votes('pat');
    await votes('eve');
    const back = { ...prod, deployed: under(policy) };
    // Two activations later the first policy is in force again, and an old vote against it arrives late.
    for (const who of ['pia', 'pat']) await votes(who, { digest: policyDigest(policy), into: back });
    await votes('pat', { replaces: seen });
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'policy-in-force' } });
    await votes('eve');
    expect(await inForce()).toBe(policyDigest(policy));
  });

  it('ends a promotion that waits for people under the policy that it replaces', async () => {
    const made = await here.candidate('pinned');
    const people = async (): Promise<void> => {
      await votes('pat');
      await votes('eve');
    };
    const { path } = await promote(here.prod, made.request, { ...made.well, people });
    expect(path.slice(-3)).toEqual(['Approval was not given', 'Refuse promotion', 'Refused']);
    expect(await last()).toMatchObject({ code: 'PROMOTION_REFUSED', details: { rule: 'policy-in-force' } });
  });

  it.each([
    ['that is not deployed', 'pat', { digest: digestOf('other') }, 'policy-deployed'],
    ['in a role that is not required', 'eng', {}, 'approval-role'],
  ] as const)('is refused %s, and people hear of it', async (_, who, vote, rule) => {
    await votes(who, vote);
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule } });
    expect(await inForce()).toBe(policyDigest(policy));
  });

  it.each([
    ['in no role', 'nobody', 'approval-role'],
    ['in two, of which none is named', 'both', 'approval-role-named'],
  ])('is not requested by who is %s', async (_, who, rule) => {
    expect(await votes(who)).toMatchObject({ kind: 'refused', refusal: { rule } });
    expect(await control.codes()).not.toContain('POLICY_VOTED');
  });

  it('cannot be asked for where there is none in force', async () => {
    const fresh = await scene();
    here = fresh;
    ({ control } = fresh);
    prod = fresh.prod;
    await votes('pat', { digest: policyDigest(policy) });
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'policy-in-force' } });
  });
});
