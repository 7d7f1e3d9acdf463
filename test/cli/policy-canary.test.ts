import { beforeEach, describe, expect, it } from 'vitest';
import { replayPromotions } from '#cli/commands/policy/replay.ts';
import { warningOf } from '#cli/commands/canary/by-entity.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import type { CanaryRule } from '#domain/policy/canary.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { writeDocument } from '#ports/documents.ts';
import { canaryScene, minutesOf, RULE, withCanary } from '../use-cases/_canary.ts';
import { hours, MODEL } from '../use-cases/_environments.ts';
import { seeing } from './_watched.ts';

let here: Awaited<ReturnType<typeof canaryScene>>;
beforeEach(async () => {
  here = await canaryScene();
});

/** The policy of the test with another rule for canaries of prod. */
function policyWith(rule: Partial<CanaryRule>): Policy {
  const { prod } = withCanary.transitions;
  return { ...withCanary, transitions: { ...withCanary.transitions, prod: { ...prod, canary: { ...RULE, ...rule } } } };
}

/** What past canaries and shadows would say. */
async function replayed(policy: Policy) {
  const test = await seeing(here, {});
  const all = await replayPromotions(test.context.cloud('prod'), MODEL, policy);
  const of = (gate: string) => all.findLast((each) => each.gate === gate);
  return { canary: of('canary'), shadow: of('shadow') };
}

describe('a changed policy judges stored canaries again', () => {
  it('and finds the same where nothing is changed', async () => {
    await here.traverse(await here.candidate('better', { version: '1.1.0', requestSeq: 2 }));
    const { canary, shadow } = await replayed(withCanary);
    expect(canary).toMatchObject({
      version: '1.1.0',
      said: 'finished after 60 minutes',
      wouldSay: 'finished after 60 minutes',
    });
    expect(shadow).toMatchObject({ said: 'passed after 500 pairs', wouldSay: 'passed after 500 pairs' });
  });

  it('and says at which minute one that finished would have been aborted', async () => {
    const made = await here.candidate('better', { version: '1.1.0', requestSeq: 2 });
    const oneErrorInMinute12 = async (input: unknown): Promise<object> => {
      const { from } = input as { readonly from: string };
      here.clock.at += hours(0.25);
      const until = here.clock.now();
      const minutes = minutesOf(new Date(from), until, {}).map((each, index) =>
        index === 11 && each.candidate !== null ? { ...each, candidate: { ...each.candidate, errors: 1 } } : each,
      );
      const counted = { formatVersion: 1, model: MODEL, from, until: until.toISOString(), minutes } as const;
      return { minutes: await writeDocument(here.prod.documents, CanaryMinutes, counted) };
    };
    await here.traverse(made, { tasks: { 'Measure canary': oneErrorInMinute12 } });
    const { canary } = await replayed(policyWith({ noErrors: true }));
    expect(canary).toMatchObject({
      said: 'finished after 60 minutes',
      wouldSay: 'aborted at minute 12',
      reasons: [expect.stringContaining('in a minute in which the champion has none')],
    });
  });

  it('by the hours that its request asked for, and says what more hours lack', async () => {
    const canaryRequest = { kind: 'longer', hours: 2 } as const;
    await here.traverse(await here.candidate('better', { version: '1.1.0', requestSeq: 2, canaryRequest }));
    expect((await replayed(policyWith({ hours: 1.5 }))).canary).toMatchObject({
      said: 'finished after 120 minutes',
      wouldSay: 'finished after 120 minutes',
    });
    expect((await replayed(policyWith({ hours: 3, deadlineHours: 6, share: 0.05 }))).canary).toMatchObject({
      wouldSay: expect.stringMatching(/^not ended after 1\d\d of 180 minutes$/),
      reasons: [expect.any(String), 'its minutes are of a share of 10 %, not 5 %'],
    });
  });

  it('and stored shadows', async () => {
    await here.traverse(await here.candidate('better', { version: '1.1.0', requestSeq: 2 }));
    const { shadow } = await replayed(policyWith({ shadow: { minimumPairs: 5000, decisions: false } }));
    expect(shadow).toMatchObject({ said: 'passed after 500 pairs', wouldSay: 'inconclusive after 500 pairs' });
  });

  it('or says that there would be none', async () => {
    await here.traverse(await here.candidate('better', { version: '1.1.0', requestSeq: 2 }));
    const { canary: _, ...plain } = withCanary.transitions.prod;
    const without = { ...withCanary, transitions: { ...withCanary.transitions, prod: plain } };
    expect(await replayed(without)).toMatchObject({
      canary: { wouldSay: 'no canary' },
      shadow: { wouldSay: 'no shadow' },
    });
  });
});

describe('a policy that assigns by entity', () => {
  it('is warned about', async () => {
    expect(await warningOf(policyWith({ assignment: 'entity' }))).toMatch(/^WARNING: arms are assigned by entity/);
    expect(await warningOf(withCanary)).toBeUndefined();
  });
});
