import { beforeEach, describe, expect, it } from 'vitest';
import { checkInvariants } from '#domain/audit/invariants.ts';
import { governedState } from '#domain/audit/standing.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Quarantine } from '#domain/promotion/quarantine.ts';
import { findChainHead, followItems } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findQuarantine, isQuarantined, readQuarantineVotes } from '#read-model/quarantines.ts';
import { readStandingItems } from '#read-model/standing.ts';
import { decideQuarantine } from '#use-cases/control/decide-quarantine.ts';
import { verifyServing } from '#use-cases/promotion/verify-serving.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import { promote, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { type Environment, hours, MODEL } from './_environments.ts';
import { directory, hearsControl } from './_voting.ts';

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
let control: Environment;
beforeEach(async () => {
  here = await scene();
  ({ prod, control } = here);
  await here.begin();
});

type Made = Awaited<ReturnType<typeof here.letIn>>;

/** A release is promoted, found not to be served, and rolled back by the pipeline itself. */
async function rolledBack(requestSeq = 1): Promise<Made & { readonly quarantine: Quarantine }> {
  const made = await here.letIn('bad', { requestSeq });
  const { release, name } = made;
  const [file, bytes] = [digestOf('MODEL bad'), prod.releases.objects.get(digestOf('MODEL bad'))];
  prod.releases.objects.delete(file);
  await verifyServing({ ...prod, own: prod.releases })({ model: MODEL, release, promotion: name });
  if (bytes !== undefined) prod.releases.objects.set(file, bytes);
  const given = { rollback: `${name}-unserved`, from: release, actor: 'pipeline:promotion' };
  expect((await rollBack(prod, given)).path.at(-1)).toBe('Rolled back');
  return { ...made, quarantine: await quarantineOf(release) };
}

async function quarantineOf(release: Quarantine['release']): Promise<Quarantine> {
  const quarantine = await findQuarantine(prod.ledger, MODEL, release);
  if (quarantine === undefined) throw new Error(`${release} was never rolled back`);
  return quarantine;
}

/** A person votes in control to lift a quarantine, and prod hears of it. */
async function votes(
  username: string,
  { release, rollback }: Pick<Quarantine, 'release' | 'rollback'>,
  role?: 'platform' | 'risk',
) {
  const result = await decideQuarantine({ ...control, directory, models: [MODEL] }, username, {
    model: MODEL,
    environment: 'prod',
    release,
    rollback,
    reason: 'the store was down, not the release',
    ...(role === undefined ? {} : { role }),
  });
  await hearsControl(here, prod);
  return result;
}

const last = async () => (await prod.chain()).at(-1);
const isStill = ({ release }: Made) => isQuarantined(prod.ledger, MODEL, release);

/** What `fsck` finds of quarantines. */
async function fsck(): Promise<readonly string[]> {
  const items = await Array.fromAsync(followItems(prod.ledger, MODEL));
  const results = checkInvariants({
    environment: 'prod',
    model: MODEL,
    now: prod.clock.now(),
    stored: items.map((item) => ({
      seq: Number(item.sk),
      document: textOf(item, 'document'),
      hash: textOf(item, 'hash'),
      changes: textOf(item, 'changes'),
    })),
    head: await findChainHead(prod.ledger, MODEL),
    ...governedState(await readStandingItems(prod.ledger, MODEL)),
    predictions: [],
    baselines: [],
    isReconciling: true,
    objects: [],
    published: undefined,
    decisions: undefined,
  });
  const found = results.flatMap((each) => each.found.map((line) => `${each.invariant}: ${line}`));
  // The scene writes requests without records; a commit of what is quarantined is named before that.
  return found.filter((line) => /quarantine/i.test(line));
}

describe('the quarantine of what the pipeline rolled back', () => {
  it('is lifted when those have voted whom the policy in force names', async () => {
    const bad = await rolledBack();
    await votes('pat', bad.quarantine);
    expect(await isStill(bad)).toBe(true);
    await votes('eve', bad.quarantine);
    expect(await isStill(bad)).toBe(false);
    expect((await prod.chain()).slice(-2)).toMatchObject([
      { code: 'QUARANTINE_VOTE_VERIFIED', actor: 'person:eve', details: { role: 'risk' } },
      {
        code: 'QUARANTINE_LIFTED',
        release: bad.release,
        details: {
          rollback: bad.quarantine.rollback,
          version: '0.1.1',
          approvedBy: ['person:pat', 'person:eve'],
        },
      },
    ]);
    expect(await quarantineOf(bad.release)).toMatchObject({
      status: 'lifted',
      actor: 'pipeline:promotion',
      lifted: { approvedBy: ['person:pat', 'person:eve'] },
    });
    expect(await fsck()).toEqual([]);
  });

  it('is gone for promotions and for rollbacks once it was lifted', async () => {
    const bad = await rolledBack();
    for (const who of ['pat', 'eve']) await votes(who, bad.quarantine);
    expect((await here.letIn('bad', { requestSeq: 2 })).release).toBe(bad.release);
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(bad.release);
    const next = await here.letIn('next', { requestSeq: 3, version: '0.1.2' });
    expect((await rollBack(prod, { rollback: 'r-2', from: next.release })).path.at(-1)).toBe('Rolled back');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(bad.release);
    expect(await fsck()).toEqual([]);
  });

  it('comes again with the next rollback, and votes for the one before do not count for it', async () => {
    const bad = await rolledBack();
    await votes('pia', bad.quarantine);
    for (const who of ['pat', 'eve']) await votes(who, bad.quarantine);
    const again = await rolledBack(2);
    expect(again.release).toBe(bad.release);
    expect(again.quarantine).toMatchObject({ status: 'active' });
    expect(again.quarantine).not.toHaveProperty('lifted');
    await votes('eve', bad.quarantine);
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'quarantine-bound' } });
    await votes('eve', again.quarantine);
    expect(await isStill(again)).toBe(true);
    await votes('pat', again.quarantine);
    expect(await isStill(again)).toBe(false);
    expect(await fsck()).toEqual([]);
  });

  it('stays where a person made it, also after an automatic one of the same digest was lifted', async () => {
    const bad = await rolledBack();
    for (const who of ['pat', 'eve']) await votes(who, bad.quarantine);
    await here.letIn('bad', { requestSeq: 2 });
    await rollBack(prod, { rollback: 'by-hand', from: bad.release });
    const byHand = await quarantineOf(bad.release);
    for (const who of ['pat', 'eve']) {
      await votes(who, byHand);
      expect(await last()).toMatchObject({
        code: 'DECISION_REFUSED',
        details: { rule: 'quarantine-automatic', found: expect.stringContaining('person:op quarantined 0.1.1') },
      });
    }
    expect(await isStill(bad)).toBe(true);
    expect(await fsck()).toEqual([]);
  });

  it('is not lifted by one person, neither twice nor in two roles', async () => {
    const bad = await rolledBack();
    await votes('pat', bad.quarantine);
    await votes('pat', bad.quarantine);
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'approval-once' } });
    await votes('pia', bad.quarantine);
    expect(await isStill(bad)).toBe(true);
    await votes('both', bad.quarantine, 'platform');
    await votes('both', bad.quarantine, 'risk');
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule: 'approval-once' } });
    expect(await isStill(bad)).toBe(true);
  });

  it('is not lifted by votes of which one has expired; who votes again counts again', async () => {
    const bad = await rolledBack();
    await votes('pat', bad.quarantine);
    // The policy in force gives people 48 hours.
    here.clock.at += hours(48);
    await votes('eve', bad.quarantine);
    expect(await isStill(bad)).toBe(true);
    await votes('pat', bad.quarantine);
    expect(await isStill(bad)).toBe(false);
    expect(await readQuarantineVotes(prod.ledger, MODEL, bad.quarantine)).toHaveLength(2);
  });

  it('is lifted once: a vote that comes after changes nothing', async () => {
    const bad = await rolledBack();
    for (const who of ['pat', 'eve']) await votes(who, bad.quarantine);
    const before = (await prod.chain()).length;
    await votes('pia', bad.quarantine);
    expect(await prod.chain()).toHaveLength(before);
  });

  it.each([
    ['in a role that does not vote', 'eng', {}, 'approval-role'],
    ['on a release that was never rolled back', 'pat', { release: digestOf('other') }, 'quarantine-known'],
    ['on another rollback', 'pat', { rollback: 'rollback-of-nothing' }, 'quarantine-bound'],
  ] as const)('is not voted on %s, and people are alerted', async (_, who, about, rule) => {
    const bad = await rolledBack();
    await votes(who, { ...bad.quarantine, ...about });
    expect(await last()).toMatchObject({ code: 'DECISION_REFUSED', details: { rule } });
    expect(await isStill(bad)).toBe(true);
  });

  it.each([
    ['in no role', 'nobody', 'approval-role'],
    ['in two, of which none is named', 'both', 'approval-role-named'],
  ])('is not voted on by who is %s', async (_, who, rule) => {
    const bad = await rolledBack();
    expect(await votes(who, bad.quarantine)).toMatchObject({ kind: 'refused', refusal: { rule } });
    expect(await control.codes()).not.toContain('QUARANTINE_VOTED');
  });

  it('keeps the release away until it is lifted: from promotions, and as the target of a rollback', async () => {
    const bad = await rolledBack();
    await votes('pat', bad.quarantine);
    const { path } = await promote(prod, { ...bad.request, requestSeq: 9 }, here.around);
    expect(path.slice(-3)).toEqual(['Opening was refused', 'Refuse promotion', 'Refused']);
    const next = await here.letIn('next', { requestSeq: 3, version: '0.1.2' });
    // A pointer that names it all the same: the transaction finds the quarantine.
    const pointer = await readPointer(prod.ledger, MODEL);
    const item = { ...keys.pointer(MODEL), ...pointer, lastConfirmed: { release: bad.release, version: '0.1.1' } };
    await prod.ledger.transact([{ kind: 'put', item }], 'pointer');
    const asked = { model: MODEL, rollback: 'r-2', actor: 'person:op', reason: 'wrong', to: null };
    const epoch = pointer?.epoch ?? 0;
    const switching = () => switchPointer(prod)({ ...asked, from: next.release, epoch });
    expect(await switching()).toMatchObject({ status: 'refused', refusal: { rule: 'release-quarantined' } });
    await votes('eve', bad.quarantine);
    expect(await switching()).toMatchObject({ status: 'switched', release: bad.release });
  });
});
