import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { readPointer } from '#read-model/pointer.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { probationRule } from '#test/domain/policy/_rule.ts';
import { execute } from '#local/statemachines/interpreter.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { confirmRelease } from '#use-cases/confirmation/confirm-release.ts';
import { promote, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { definition, deployed, type Environment, MODEL, policy, SQL, publishRecords } from './_environments.ts';

/** The policy that promotes what is likely better, on probation. */
const lenient: Policy = {
  ...policy,
  comparison: { ...policy.comparison, provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } },
  transitions: { ...policy.transitions, prod: { ...policy.transitions.prod, probation: probationRule(14) } },
};
/** Gains a little: less than what counts as proven. */
const LITTLE = fortnight(0.003);

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
beforeEach(async () => {
  here = await scene();
  prod = {
    ...here.prod,
    deployed: { ...deployed, models: [{ definition, policy: lenient, sql: { ...SQL }, expectations: {} }] },
  };
  await here.begin(prod);
});

/** Lets a release in that gained a little. */
async function letInOnProbation(text: string) {
  const made = await here.candidate(text);
  const { path } = await promote(prod, made.request, { ...made.well, measured: LITTLE });
  return { ...made, path };
}

async function confirm(input: Record<string, unknown>) {
  const tasks = { 'Confirm release': confirmRelease(prod), 'Record failure': recordRunFailure(prod) };
  return execute(
    'confirmation',
    { model: MODEL, actor: 'person:op', reason: 'better on each day', evidence: null, ...input },
    ({ state, payload }) => tasks[state as keyof typeof tasks](payload['input']),
  );
}

describe('the machine of confirmations with its use-case', () => {
  it('confirms what was promoted on probation: seq grows, epoch does not, and the record says why', async () => {
    const { release, path } = await letInOnProbation('likely');
    expect(path.at(-1)).toBe('Promoted');
    const before = await readPointer(prod.ledger, MODEL);
    expect(before).toMatchObject({ current: release, status: 'probation', until: '2026-03-16T09:00:00.000Z' });
    const { path: states } = await confirm({ confirmation: 'c-1', release, epoch: 2 });
    expect(states.at(-1)).toBe('Confirmed');
    expect(await readPointer(prod.ledger, MODEL)).toEqual({
      ...before,
      status: 'confirmed',
      until: null,
      seq: 3,
      writtenBy: 'c-1',
    });
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'RELEASE_CONFIRMED',
      actor: 'person:op',
      release,
      details: { reason: 'better on each day', pointerSeq: 3, epoch: 2, evidence: null },
    });
  });

  it('confirms once, however often and by whomever it is asked', async () => {
    const { release } = await letInOnProbation('likely');
    for (const confirmation of ['c-1', 'c-1', 'c-2']) {
      expect((await confirm({ confirmation, release, epoch: 2 })).path.at(-1)).toBe('Confirmed');
    }
    expect((await readPointer(prod.ledger, MODEL))?.seq).toBe(3);
    expect((await prod.codes()).filter((code) => code === 'RELEASE_CONFIRMED')).toHaveLength(1);
  });

  it('is not confirmed in the pipeline’s name where the pipeline has recorded no verdict', async () => {
    const { release } = await letInOnProbation('likely');
    const forged = { actor: 'pipeline:gates', evidence: digestOf('made up') };
    const { path, document } = await confirm({ confirmation: 'c-1', release, epoch: 2, ...forged });
    expect(path.at(-1)).toBe('Refused');
    expect(JSON.stringify(document)).toContain('actor-verified');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ status: 'probation', seq: 2 });
  });

  it('is refused for what was judged in an epoch that is over, and changes nothing', async () => {
    const { release } = await letInOnProbation('likely');
    await rollBack(prod, { rollback: 'r-1', from: release });
    const before = await readPointer(prod.ledger, MODEL);
    const { path } = await confirm({ confirmation: 'c-1', release, epoch: 2 });
    expect(path.at(-1)).toBe('Refused');
    expect(await readPointer(prod.ledger, MODEL)).toEqual(before);
    expect(before).toMatchObject({ current: here.baseline, status: 'confirmed' });
  });

  it('shows the peers the same release under the next seq', async () => {
    const { release } = await letInOnProbation('likely');
    await confirm({ confirmation: 'c-1', release, epoch: 2 });
    await publishRecords(prod, MODEL);
    expect(await prod.peers.newestPointer('prod', MODEL)).toMatchObject({ seq: 3 });
  });
});

describe('a promotion while another release is on probation', () => {
  it('is refused at its commit, with what would change that', async () => {
    await letInOnProbation('likely');
    const next = await here.candidate('next', { requestSeq: 2, version: '0.1.2' });
    const { path } = await promote(prod, next.request, next.well);
    expect(path.slice(-3)).toEqual(['Commit was refused', 'Refuse promotion', 'Refused']);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({ rule: 'one-on-probation' });
  });

  it('is promoted when the other was confirmed while people decided, and goes back to it', async () => {
    const first = await letInOnProbation('likely');
    const next = await here.candidate('next', { requestSeq: 2, version: '0.1.2' });
    const before = async (state: string): Promise<void> => {
      if (state === 'Commit promotion') await confirm({ confirmation: 'c-1', release: first.release, epoch: 2 });
    };
    expect((await promote(prod, next.request, { ...next.well, before })).path.at(-1)).toBe('Promoted');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: next.release,
      status: 'confirmed',
      lastConfirmed: { release: first.release },
    });
  });

  it('is not promoted provisionally where the policy knows no probation', async () => {
    const { probation: _probation, ...strict } = lenient.transitions.prod;
    const models = [
      {
        definition,
        policy: { ...lenient, transitions: { ...lenient.transitions, prod: strict } },
        sql: { ...SQL },
        expectations: {},
      },
    ];
    here = await scene();
    prod = { ...here.prod, deployed: { ...deployed, models } };
    await here.begin(prod);
    const made = await here.candidate('likely');
    const { path } = await promote(prod, made.request, { ...made.well, measured: LITTLE });
    expect(path).toContain('Champion was not beaten');
    expect((await prod.chain()).at(-1)?.details).toMatchObject({
      reasons: expect.arrayContaining([expect.stringContaining('no probation')]),
    });
  });
});
