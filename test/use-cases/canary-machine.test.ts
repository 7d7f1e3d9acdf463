import { beforeEach, describe, expect, it } from 'vitest';
import { detailsOf } from '#domain/audit/chain.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import type { CanaryRule } from '#domain/policy/canary.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { writeDocument } from '#ports/documents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { stopCanary } from '#use-cases/canary/divide-traffic.ts';
import { followSignals } from '#use-cases/incidents/follow-signals.ts';
import { stopStrayCanaries } from '#use-cases/reconciler/stop-stray-canary.ts';
import { canaryScene, NO_DIFFERENCE, RULE, watch, withCanary } from './_canary.ts';
import { hours, MODEL } from './_environments.ts';
import { open, rollBack } from './_machine.ts';
import { decides } from './_scene.ts';

let here: Awaited<ReturnType<typeof canaryScene>>;
beforeEach(async () => {
  here = await canaryScene();
});

/** How a canary ended, as the chain says it. */
async function ended() {
  const record = (await here.prod.chain()).findLast(({ code }) => code === 'CANARY_ENDED');
  return record && detailsOf(record, 'CANARY_ENDED');
}
const served = () => readPointer(here.prod.ledger, MODEL);
const candidate = (overrides = {}) => here.candidate('better', { version: '1.1.0', requestSeq: 2, ...overrides });

/** What must hold after every ending: the champion answers everything. */
async function undivided(current: string): Promise<void> {
  expect((await served())?.traffic).toMatchObject({ arms: [{ arm: 'champion', release: current, share: 1 }] });
  expect((await served())?.traffic.plan).toBeUndefined();
}

describe('a canary', () => {
  it('divides the traffic, finishes by its evidence, and is promoted on approvals that were given before it', async () => {
    const made = await candidate();
    let during: Awaited<ReturnType<typeof served>>;
    const { execution, canary } = await here.traverse(made, {
      before: async (state) => {
        if (state === 'Judge canary') during = await served();
      },
    });
    expect(during?.traffic).toMatchObject({
      arms: [
        { arm: 'champion', release: here.champion.release, share: 0.8 },
        { arm: 'candidate', release: made.release, share: 0.1 },
        { arm: 'control', release: here.champion.release, share: 0.1 },
      ],
      plan: { kind: 'canary', promotion: made.name, assignment: 'event', armMs: 2000 },
    });
    expect(canary?.path.filter((state) => state === 'Judge canary').length).toBeGreaterThan(1);
    expect(execution.path.at(-1)).toBe('Promoted');
    expect(await served()).toMatchObject({ current: made.release });
    await undivided(made.release);
    expect(await ended()).toMatchObject({ verdict: 'finished', quarantined: false });
    const codes = await here.prod.codes();
    expect(codes.filter((code) => code.startsWith('CANARY'))).toEqual([
      'CANARY_OPENED',
      'CANARY_STARTED',
      'CANARY_ENDED',
    ]);
  });

  it('lasts longer than people had, and their approvals still count', async () => {
    const made = await candidate();
    const { execution } = await here.traverse(made, {
      before: async (state) => {
        // More than the 48 hours in which people have to decide.
        if (state === 'Commit promotion') here.clock.at += hours(49);
      },
    });
    expect(execution.path.at(-1)).toBe('Promoted');
  });

  it('aborts a candidate that fails more requests, and quarantines it', async () => {
    const made = await candidate();
    const { execution, promotion } = await here.traverse(made, { rates: { candidate: 0.2, requests: 400 } });
    expect(execution.path.slice(-3)).toEqual(['Canary was not passed', 'Refuse promotion', 'Refused']);
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining('canary: FAIL') });
    expect(await ended()).toMatchObject({ verdict: 'aborted', quarantined: true });
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(true);
    await undivided(here.champion.release);
    const [record] = (await here.prod.chain()).filter(({ code }) => code === 'PROMOTION_REFUSED').slice(-1);
    expect(record?.details).toMatchObject({ rule: 'gates-passed' });
  });

  it('aborts a candidate whose answers are slower than those of the control arm', async () => {
    const made = await candidate();
    await here.traverse(made, { rates: { slow: 0.3, requests: 400 } });
    expect(await ended()).toMatchObject({ verdict: 'aborted', found: expect.stringContaining('latency objective') });
  });

  it('ends without proof at its deadline, and quarantines nobody', async () => {
    const made = await candidate();
    const { promotion } = await here.traverse(made, { rates: { requests: 20 }, earlier: { requests: 200 } });
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining('canary: INCONCLUSIVE') });
    expect(await ended()).toMatchObject({ verdict: 'stopped', quarantined: false });
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
    await undivided(here.champion.release);
  });

  it('pauses while no requests come, and tells people once', async () => {
    const made = await candidate();
    let looks = 0;
    await here.traverse(made, {
      before: async (state) => {
        if (state === 'Judge canary') looks += 1;
      },
      tasks: {
        'Measure canary': async (input) => {
          here.clock.at += hours(0.5);
          const { from } = input as { readonly from: string };
          const none = {
            formatVersion: 1,
            model: MODEL,
            from,
            until: here.clock.now().toISOString(),
            minutes: [],
          } as const;
          return { minutes: await writeDocument(here.prod.documents, CanaryMinutes, none) };
        },
      },
    });
    expect(looks).toBeGreaterThan(3);
    expect((await here.prod.codes()).filter((code) => code === 'CANARY_PAUSED')).toEqual(['CANARY_PAUSED']);
    expect(await ended()).toMatchObject({ verdict: 'stopped', found: expect.stringContaining('INCONCLUSIVE') });
  });

  it.each([
    [
      'a rollback of the champion',
      async () => {
        const { current = '' } = (await served()) ?? {};
        await rollBack(here.prod, { rollback: 'rollback-1', from: current });
      },
      'champion-unchanged',
    ],
    ['an alarm of the champion', () => alarm(), 'champion-healthy'],
  ] as const)('stops without quarantine after %s', async (_, happens, rule) => {
    const made = await candidate();
    let times = 0;
    const { promotion } = await here.traverse(made, {
      before: async (state) => {
        if (state === 'Judge canary' && (times += 1) === 1) await happens();
      },
    });
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining(rule) });
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
    expect((await served())?.traffic.plan).toBeUndefined();
  });

  it('stops when its traffic is divided no more, and does not divide it again', async () => {
    const made = await candidate();
    const { promotion } = await here.traverse(made, {
      before: async (state) => {
        if (state === 'Plan aggregates' && (await served())?.traffic.plan !== undefined)
          await stopCanary(here.prod)({ model: MODEL, promotion: made.name });
      },
    });
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining('canary-stands') });
    await undivided(here.champion.release);
  });

  it('keeps a newer promotion waiting, and lets a hotfix go first', async () => {
    const made = await candidate();
    const newer = await here.candidate('newer', { version: '1.2.0', requestSeq: 3 });
    const hotfix = await here.candidate('hotfix', {
      version: '1.3.0',
      requestSeq: 4,
      transition: 'hotfix',
      hotfix: { reason: 'it cannot wait' },
      source: 'dev',
    });
    const opened: object[] = [];
    const { promotion } = await here.traverse(made, {
      before: async (state) => {
        if (state !== 'Judge canary' || opened.length > 0) return;
        opened.push(await open(here.prod, newer.request));
        opened.push(await open(here.prod, hotfix.request));
      },
    });
    expect(opened).toMatchObject([{ status: 'waiting' }, { status: 'opened' }]);
    expect(promotion).toMatchObject({ status: 'superseded' });
    await undivided(here.champion.release);
  });

  it('is ended, when its execution was stopped, by the machine that the reconciler starts, again and again', async () => {
    const made = await candidate();
    await here.traverse(made, { tasks: { 'Judge canary': dies } });
    expect((await served())?.traffic.plan).toMatchObject({ promotion: made.name });
    expect(await stopStrayCanaries(here.prod, MODEL)).toEqual([made.name]);
    // That execution ended badly as well: another one is started later, and people are told.
    here.clock.at += hours(0.6);
    await expect(stopStrayCanaries(here.prod, MODEL)).rejects.toMatchObject({ code: 'CANARY_NOT_STOPPED' });
    const inputs = [...here.prod.machines.started.values()].filter(({ machine }) => machine === 'canary');
    expect(inputs.map(({ input }) => input)).toEqual(
      Array.from({ length: 2 }, () => ({ model: MODEL, promotion: made.name, abort: null })),
    );
    const { path } = await watch(here.prod, made.name);
    expect(path).toEqual(['Open canary', 'Canary opened?', 'Canary was not opened', 'Stop canary', 'Watched']);
    await undivided(here.champion.release);
    expect(await stopStrayCanaries(here.prod, MODEL)).toEqual([]);
  });

  it('keeps no later one from beginning, though nothing has ended it', async () => {
    const made = await candidate();
    await here.traverse(made, { tasks: { 'Judge canary': dies } });
    const later = await here.candidate('later', { version: '1.2.0', requestSeq: 3 });
    const { execution } = await here.traverse(later);
    expect(execution.path.at(-1)).toBe('Promoted');
  });

  it('loses no quarantine: what a gate said before the execution died is done by the machine later', async () => {
    const made = await candidate();
    await here.traverse(made, {
      pairs: [{ ...NO_DIFFERENCE, candidateErrors: 60 }],
      tasks: { 'Stop canary': dies },
    });
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
    expect(await stopStrayCanaries(here.prod, MODEL)).toEqual([made.name]);
    await watch(here.prod, made.name);
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(true);
    expect(await stopStrayCanaries(here.prod, MODEL)).toEqual([]);
  });

  it('does not begin while an alarm of the champion is open', async () => {
    await alarm();
    const { promotion } = await here.traverse(await candidate());
    expect(promotion?.ending).toContain('champion-healthy');
    expect(await here.prod.codes()).not.toContain('CANARY_STARTED');
  });

  it('does not begin on evidence that would expire before it can end', async () => {
    const made = await candidate();
    const { promotion } = await here.traverse(made, {
      before: async (state) => {
        if (state === 'Open canary') here.clock.at += hours(71.5);
      },
      people: async () => {
        await made.well.people?.();
      },
    });
    expect(promotion?.ending).toMatch(/evidence-complete|promotion-deadline|approval-given/);
    expect(await here.prod.codes()).not.toContain('CANARY_STARTED');
  });
});

async function dies(): Promise<never> {
  throw new Error('the execution was stopped');
}

/** An alarm of the champion that alerted people. */
async function alarm(): Promise<void> {
  const { epoch = 0 } = (await served()) ?? {};
  await here.prod.says({
    code: 'ROLLBACK_NOT_TRIGGERED',
    actor: 'pipeline:alarms',
    release: here.champion.release,
    details: {
      alarm: 'errors',
      kind: 'errors',
      epoch,
      policy: (await findPromotion(here.prod.ledger, MODEL, here.champion.name))?.policy ?? here.champion.release,
      found: 'it fails',
      values: {},
      verdict: 'page',
    },
  });
  await followSignals(here.prod, MODEL);
}

describe('a canary is stopped by people', () => {
  it.each(['the first look', 'the approval'])('who may start its machine, with a reason, after %s', async (when) => {
    const made = await candidate();
    const state = when === 'the approval' ? 'Request approvals' : 'Judge canary';
    let times = 0;
    const aborting = async (entered: string): Promise<void> => {
      if (entered !== state || (times += 1) > 1) return;
      await watch(here.prod, made.name, { abort: { actor: 'person:ops', reason: 'callers report odd answers' } });
    };
    const { promotion } = await here.traverse(made, { before: aborting });
    expect(promotion).toMatchObject({
      status: 'refused',
      ending: 'promotion-not-aborted: aborted by person:ops: callers report odd answers',
    });
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
    await undivided(here.champion.release);
  });

  it('who reject the promotion while it lasts', async () => {
    const made = await candidate();
    let times = 0;
    const { promotion } = await here.traverse(made, {
      before: async (state) => {
        if (state === 'Judge canary' && (times += 1) === 1)
          await decides(here.prod, here.control, made.name, 'ben', 'platform', {
            decision: 'reject',
            comment: 'not today',
          });
      },
    });
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining('stopped by person:ben') });
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
    await undivided(here.champion.release);
  });
});

describe('before a canary', () => {
  it('the shadow comes, and one that fails more of the same requests quarantines the candidate without any traffic', async () => {
    const made = await candidate();
    const { promotion } = await here.traverse(made, {
      pairs: [{ ...NO_DIFFERENCE, candidateErrors: 60 }],
    });
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining('shadow: FAIL') });
    expect(await ended()).toMatchObject({ verdict: 'aborted', quarantined: true, pointerSeq: null });
    expect(await here.prod.codes()).not.toContain('CANARY_STARTED');
  });

  it('too few pairs prove nothing', async () => {
    const made = await candidate();
    const { promotion } = await here.traverse(made, { pairs: [{ ...NO_DIFFERENCE, pairs: 100 }] });
    expect(promotion?.ending).toContain('shadow: INCONCLUSIVE');
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
  });

  it('it begins unshadowed where the model keeps no events, and says so', async () => {
    here = await canaryScene(withCanary, 0);
    const made = await candidate();
    const { execution } = await here.traverse(made, { pairs: null });
    expect(execution.path.at(-1)).toBe('Promoted');
    const shadow = (await here.prod.chain()).findLast(
      (record) => record.code === 'EVIDENCE_RECORDED' && record.details['gate'] === 'shadow',
    );
    expect(shadow?.details).toMatchObject({
      verdict: 'NOT_APPLICABLE',
      reasons: [expect.stringContaining('unshadowed')],
    });
  });

  it('no stored request, where the model keeps them, proves nothing', async () => {
    const made = await candidate();
    const { promotion } = await here.traverse(made, { pairs: null });
    expect(promotion).toMatchObject({
      status: 'refused',
      ending: expect.stringContaining(
        'shadow: INCONCLUSIVE: no stored request of the champion within a day, 3 left out',
      ),
    });
    expect(await here.prod.codes()).not.toContain('CANARY_STARTED');
    expect(await isQuarantined(here.prod.ledger, MODEL, made.release)).toBe(false);
  });

  it('a traffic that could prove nothing is refused before anybody is asked', async () => {
    const made = await candidate();
    const { execution, promotion } = await here.traverse(made, { rates: { requests: 20 } });
    expect(execution.path).not.toContain('Request approvals');
    expect(promotion?.ending).toContain('canary-power: INCONCLUSIVE');
    expect(promotion?.ending).toContain('what would suffice');
  });
});

describe('where a request asks for another one', () => {
  it('a canary lasts longer, and its deadline is later', async () => {
    const made = await candidate({ canaryRequest: { kind: 'longer', hours: 2 } });
    const { execution, promotion } = await here.traverse(made);
    expect(execution.path.at(-1)).toBe('Promoted');
    expect(promotion?.canary).toMatchObject({ hours: 2, deadlineHours: 4 });
  });

  it.each([
    ['a shorter one', { kind: 'longer', hours: 0.5 }, '0.5 hours are fewer'],
    ['one beyond its evidence', { kind: 'longer', hours: 60 }, 'its evidence expires'],
  ] as const)('%s is refused by "canary-allowed"', async (_, canaryRequest, found) => {
    const made = await candidate({ canaryRequest });
    expect(await open(here.prod, made.request)).toMatchObject({
      status: 'refused',
      refusal: { rule: 'canary-allowed', found: expect.stringContaining(found) },
    });
  });

  it('the shadow alone is enough, if somebody who may say so approves', async () => {
    const made = await candidate({ canaryRequest: { kind: 'shadow-only' } });
    const without = await here.traverse(made, { rates: { requests: 1 } });
    expect(without.execution.path).toContain('Approval expired');
    const again = await here.candidate('better again', {
      version: '1.2.0',
      requestSeq: 3,
      canaryRequest: { kind: 'shadow-only' },
    });
    const { execution } = await here.traverse(again, {
      rates: { requests: 1 },
      people: async () => {
        await again.well.people?.();
        await decides(here.prod, here.control, again.name, 'rita', 'risk');
      },
    });
    expect(execution.path.at(-1)).toBe('Promoted');
    expect(await here.prod.codes()).not.toContain('CANARY_STARTED');
  });
});

describe('no canary applies', () => {
  it.each([
    ['to what replaces a baseline', withCanary, true],
    ['where the policy has none', { ...withCanary, transitions: { ...withCanary.transitions, prod: plain() } }, false],
  ] as const)('%s', async (_, rules, isAsked) => {
    here = await canaryScene(rules);
    const evidence = (await here.prod.chain()).filter(
      (record) => record.code === 'EVIDENCE_RECORDED' && record.details['gate'] === 'canary',
    );
    expect(evidence.map(({ details }) => details['verdict'])).toEqual(isAsked ? ['NOT_APPLICABLE'] : []);
    expect(await served()).toMatchObject({ current: here.champion.release });
  });
});

function plain() {
  const { canary: _canary, ...prod } = withCanary.transitions.prod;
  return { ...prod, gates: prod.gates.filter((gate) => !['canary-power', 'shadow', 'canary'].includes(gate)) };
}

describe('another plan of the same mechanism', () => {
  const withRule = (changes: Partial<CanaryRule>): Policy => ({
    ...withCanary,
    transitions: {
      ...withCanary.transitions,
      prod: { ...withCanary.transitions.prod, canary: { ...RULE, ...changes } },
    },
  });

  it('an A/B test lasts for its time, says what it counted, and promotes nothing', async () => {
    here = await canaryScene(withRule({ ab: { share: 0.3, hours: 1 } }));
    const made = await candidate({ canaryRequest: { kind: 'ab' } });
    let during: Awaited<ReturnType<typeof served>>;
    const { promotion } = await here.traverse(made, {
      earlier: { requests: 1 },
      before: async (state) => {
        if (state === 'Judge canary') during = await served();
      },
    });
    expect(during?.traffic.arms).toMatchObject([{ share: 0.4 }, { arm: 'candidate', share: 0.3 }, { share: 0.3 }]);
    expect(promotion).toMatchObject({ status: 'refused', ending: expect.stringContaining('ab-test-promotes') });
    expect(await ended()).toMatchObject({
      verdict: 'stopped',
      quarantined: false,
      found: expect.stringContaining('requests'),
    });
    await undivided(here.champion.release);
  });

  it('an A/B test that the policy does not know is refused by "canary-allowed"', async () => {
    const made = await candidate({ canaryRequest: { kind: 'ab' } });
    expect(await open(here.prod, made.request)).toMatchObject({ refusal: { rule: 'canary-allowed' } });
  });

  it('blue/green divides nothing, has the candidate loaded for its hours, and switches', async () => {
    here = await canaryScene(withRule({ plan: 'blue-green' }));
    const made = await candidate();
    let during: Awaited<ReturnType<typeof served>>;
    const { execution } = await here.traverse(made, {
      before: async (state) => {
        if (state === 'Judge canary') during = await served();
      },
    });
    expect(during?.traffic).toMatchObject({
      arms: [{ arm: 'champion', share: 1 }],
      plan: { kind: 'blue-green', candidate: made.release },
    });
    expect(execution.path.at(-1)).toBe('Promoted');
    await undivided(made.release);
  });
});
