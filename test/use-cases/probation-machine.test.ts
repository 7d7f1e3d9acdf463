import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { predictionDigest, ScoreWork, WorkBatch } from '#domain/data/feature-work.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { activationWrite } from '#domain/policy/activation.ts';
import { readPointer } from '#read-model/pointer.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { type Execution, TaskError } from '#local/statemachines/interpreter.ts';
import { rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { type Environment, MODEL, policy } from './_environments.ts';
import {
  lenient,
  here,
  prod,
  begin,
  letIn,
  serve,
  review,
  act,
  codesSince,
  plansOf,
  setHere,
  setProd,
} from './_probation.ts';
import { day, under } from './_watched.ts';

beforeEach(begin);

describe('the review of a release on probation', () => {
  it('counts the days that it was served, also where it was promoted long after its training', async () => {
    setHere(await scene(day(9)));
    setProd(under(here.prod, lenient));
    await here.begin(prod);
    const release = await letIn(0.02, day(9));
    await serve(release, day(0), day(13));
    expect((await review(day(10))).document['plan']).toMatchObject({ release, days: 0 });
    expect((await review(day(12))).document['plan']).toMatchObject({ release, days: 2 });
    // Counted from its training, its days would be over before the first of them.
    expect((await review(day(13), { fast: fortnight(-0.05) })).path.at(-1)).toBe('Rolled back');
  });

  it('waits, and says why, where nothing could be measured', async () => {
    const release = await letIn(0.003);
    await serve(release, day(-2), day(9));
    const { path, document } = await review(day(3), {
      reasons: ['predictions of 2001-01-21: inputs-built: no features'],
    });
    expect(path.at(-1)).toBe('Watched');
    expect(document['judgement']).toMatchObject({
      reason: 'not measured: predictions of 2001-01-21: inputs-built: no features',
    });
  });

  it('compares what was published since it was promoted with the shadow, on the labels that had arrived', async () => {
    const release = await letIn(0.003);
    await serve(release, day(-2), day(9));
    const done = await review(day(3));
    expect(done.document['plan']).toMatchObject({
      release,
      shadow: here.baseline,
      epoch: 2,
      days: 3,
      isProvisional: true,
    });
    const [fast, slow] = await plansOf(done);
    const served = daysBetween(day(0), day(2)).map((each) => digestOf(`features of ${each}`));
    for (const plan of [fast, slow]) {
      expect(plan?.features).toEqual(served);
      expect(plan?.candidatePredictions).toEqual(served.map((each) => predictionDigest(each, release, prod.scorer)));
      expect(plan?.championPredictions).toEqual(
        served.map((each) => predictionDigest(each, here.baseline, prod.scorer)),
      );
    }
    expect(fast?.labels.map((each) => each.day)).toEqual([day(0), day(1)]);
    expect(fast).toMatchObject({ cluster: 'who', byDay: true });
    expect(slow?.labels.map((each) => each.day)).toEqual([day(0), day(1), day(2)]);
    expect(slow).toMatchObject({ cluster: 'day', slices: [] });
  });

  it('scores each partition with the shadow once, and publishes none of it', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(3));
    const manifests = await prod.ledger.query(keys.predictions(MODEL));
    const scored = async (asOf: string): Promise<unknown[]> => {
      const { calls } = await review(asOf);
      const before = new Set(prod.lake.objects.keys());
      for (const { state, payload } of calls) {
        if (state !== 'Score release') continue;
        const batch = WorkBatch.parse(payload['input']);
        const { items } = parseCanonical(ScoreWork, await prod.documents.read(batch.work), 'score work');
        expect(items.every((item) => item.release === here.baseline)).toBe(true);
      }
      expect(new Set(prod.lake.objects.keys())).toEqual(before);
      return [...before].filter((key) => key.includes('predictions'));
    };
    expect(await scored(day(2))).toHaveLength(4 + 2);
    expect(await scored(day(2))).toHaveLength(4 + 2);
    expect(await scored(day(3))).toHaveLength(4 + 3);
    expect(await prod.ledger.query(keys.predictions(MODEL))).toEqual(manifests);
  });

  it('says nothing to anybody while it waits, and keeps the numbers', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(3));
    const before = (await prod.codes()).length;
    const apart = { ...fortnight(0.01), disagreement: [{ cluster: day(0), rows: 10, logits: 5 }] };
    const { path } = await review(day(3), { fast: fortnight(-0.01), slow: apart });
    expect(path.at(-1)).toBe('Watched');
    expect(await codesSince(before)).toEqual([]);
    expect(await prod.ledger.get(keys.run(MODEL, `review-${day(3)}`))).toMatchObject({
      machine: 'probation',
      status: 'wait',
      release,
      asOf: day(3),
      review: {
        maturity: { served: 14_000, matured: 14_000, share: 1 },
        fast: { labels: 14_000 },
        disagreement: { holdout: null, days: [{ day: day(0), mean: 0.5 }] },
      },
    });
  });

  it('rolls back what is clearly worse, once, however often and late it is looked at', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(3));
    const before = (await prod.codes()).length;
    const bad = { fast: fortnight(-0.05), slow: fortnight(-0.05) };
    expect((await review(day(3), bad)).path.at(-1)).toBe('Rolled back');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ current: here.baseline, status: 'confirmed' });
    expect(await isQuarantined(prod.ledger, MODEL, release)).toBe(true);
    const told = ['RELEASE_JUDGED', 'RELEASE_ROLLED_BACK', 'INCIDENT_OPENED'];
    expect(await codesSince(before)).toEqual(told);
    const [judged, rolledBack] = (await prod.chain()).slice(before);
    expect(judged?.details).toMatchObject({
      verdict: 'ROLL_BACK',
      rule: 'fast',
      days: 3,
      maturity: { served: 14_000, matured: 14_000 },
    });
    expect(rolledBack?.details).toMatchObject({ rollback: `${MODEL}-probation-2`, reason: judged?.details['reason'] });
    for (const asOf of [day(3), day(2), day(9)]) expect((await review(asOf, bad)).path.at(-1)).toBe('Skipped');
    expect(await codesSince(before)).toEqual(told);
  });

  it('rolls back whatever text of the data stands in the reason', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(6));
    const bad = fortnight(-0.05);
    const slice = { column: 'coun\ntry', value: 'D\tE\u001b[2K\u202e', clusters: bad.clusters };
    const done = await review(day(7), { slow: { ...bad, slices: [slice] } });
    expect(done.path.at(-1)).toBe('Rolled back');
    expect(await isQuarantined(prod.ledger, MODEL, release)).toBe(true);
  });

  it('records no verdict under a policy that was replaced while it was reached', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(3));
    const active = await prod.ledger.get(keys.policy(MODEL));
    let isReplaced = false;
    const transact: Environment['ledger']['transact'] = async (writes, token) => {
      if (!isReplaced && active !== undefined) {
        isReplaced = true;
        const next = { ...active, ...keys.policy(MODEL), policy: digestOf('another policy'), activation: 2 };
        await prod.ledger.transact([{ kind: 'put', item: next }], 'activated meanwhile');
      }
      return prod.ledger.transact(writes, token);
    };
    const own = { ...prod, ledger: { ...prod.ledger, transact } };
    const { path } = await review(day(3), { fast: fortnight(-0.05) }, own);
    expect(isReplaced).toBe(true);
    expect(path.at(-1)).toBe('Watched');
    expect(await prod.codes()).not.toContain('RELEASE_JUDGED');
  });

  it('judges once where two look at the same time, and both do the same', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(6));
    const before = (await prod.codes()).length;
    const others: Execution[] = [];
    // The other one comes to the contrary, and is through before this one has judged.
    const late = async (state: string): Promise<void> => {
      if (state === 'Judge release') others.push(await review(day(7), { slow: fortnight(0.02) }, prod, 'quicker'));
    };
    const { path } = await review(day(3), { fast: fortnight(-0.05), before: late });
    expect(others.map((each) => each.path.at(-1))).toEqual(['Confirmed']);
    expect(path.at(-1)).toBe('Confirmed');
    expect(await codesSince(before)).toEqual(['RELEASE_JUDGED', 'RELEASE_CONFIRMED']);
  });

  it('goes on with a verdict whose act was lost', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(6));
    const lost = async (state: string): Promise<void> => {
      if (state === 'Roll back') throw new TaskError('States.Timeout');
    };
    expect((await review(day(3), { fast: fortnight(-0.05), before: lost })).path.at(-1)).toBe('Failed');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
    expect((await review(day(7), { slow: fortnight(0.02) })).path.at(-1)).toBe('Rolled back');
    expect((await prod.codes()).filter((code) => code === 'RELEASE_JUDGED')).toHaveLength(1);
  });

  it('confirms what is better when its days are over, by the measurement that says so', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(6));
    const slow = fortnight(0.003);
    expect((await review(day(6), { slow })).path.at(-1)).toBe('Watched');
    expect((await review(day(7), { slow })).path.at(-1)).toBe('Confirmed');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: release,
      status: 'confirmed',
      until: null,
      epoch: 2,
    });
    const [judged, confirmed] = (await prod.chain()).slice(-2);
    expect(judged?.details).toMatchObject({ verdict: 'CONFIRM', rule: 'slow', days: 7 });
    expect(confirmed).toMatchObject({
      code: 'RELEASE_CONFIRMED',
      actor: 'pipeline:gates',
      details: { confirmation: `${MODEL}-probation-2`, evidence: digestOf(canonicalJson(slow)) },
    });
    expect((await review(day(8), { slow })).path.at(-1)).toBe('Skipped');
  });

  it('confirms what is better on the labels that there are, and too little to be sure', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(6));
    expect((await review(day(7), { slow: fortnight(0.01, 0.1) })).path.at(-1)).toBe('Confirmed');
  });

  it.each([
    ['the labels lean to the other side', { slow: fortnight(-0.004, 0.1) }],
    ['nothing was measured', {}],
  ])('rolls back when its days are over and %s', async (_, measured) => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(6));
    expect((await review(day(7), measured)).path.at(-1)).toBe('Rolled back');
    expect((await prod.chain()).find(({ code }) => code === 'RELEASE_JUDGED')?.details['reason']).toMatch(
      /not seen to be/,
    );
  });

  it('rolls back what the policy in force knows no probation for', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(1));
    const active = await readActivePolicy(prod.ledger, MODEL);
    await prod.ledger.transact([activationWrite(active, policyDigest(policy), policy)], 'another policy');
    expect((await review(day(2))).path.at(-1)).toBe('Rolled back');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(here.baseline);
  });

  it('lets be what a person has confirmed', async () => {
    const release = await letIn(0.003);
    await act('confirmation', {
      model: MODEL,
      confirmation: 'c-1',
      actor: 'person:op',
      reason: 'seen',
      evidence: null,
      release,
      epoch: 2,
    });
    expect((await review(day(3), { fast: fortnight(-0.05) })).path.at(-1)).toBe('Skipped');
  });

  it('says nothing of a release that was rolled back while it was judged', async () => {
    const release = await letIn(0.003);
    await serve(release, day(0), day(3));
    const meanwhile = async (state: string): Promise<void> => {
      if (state === 'Judge release') await rollBack(prod, { rollback: 'r-1', from: release });
    };
    const { path } = await review(day(3), { fast: fortnight(-0.05), before: meanwhile });
    expect(path.at(-1)).toBe('Watched');
    expect(await prod.codes()).not.toContain('RELEASE_JUDGED');
  });
});
