import { beforeEach, describe, expect, it } from 'vitest';
import { run as show } from '#cli/commands/promotion/show.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { modelStatus } from '#cli/commands/status/collect.ts';
import { statusReport } from '#cli/commands/status/view.ts';
import { render } from '#cli/report.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { writeDocument } from '#ports/documents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { loggedRequest } from '../domain/prediction/_logged.ts';
import { canaryScene, minutesOf, NO_DIFFERENCE, RULE, withCanary } from '../use-cases/_canary.ts';
import { hours, MODEL } from '../use-cases/_environments.ts';
import { decides } from '../use-cases/_scene.ts';
import { during, seeing } from './_watched.ts';

let here: Awaited<ReturnType<typeof canaryScene>>;
beforeEach(async () => {
  here = await canaryScene();
});
const candidate = (overrides = {}) => here.candidate('better', { version: '1.1.0', requestSeq: 2, ...overrides });

/** What is shown of a promotion now. */
async function shown(promotion: string, prepare?: (test: Awaited<ReturnType<typeof seeing>>) => Promise<void>) {
  const test = await seeing(here, { promotion });
  await prepare?.(test);
  await show(test.context);
  return { text: test.text(), data: JSON.parse(test.text('json')) as Record<string, unknown> };
}
const withRule = (rule: Partial<typeof RULE>) =>
  canaryScene({
    ...withCanary,
    transitions: {
      ...withCanary.transitions,
      prod: { ...withCanary.transitions.prod, canary: { ...RULE, ...rule } },
    },
  });

describe('promotion show, before the canary', () => {
  it.each([
    ['Request approvals', /open, phase gates[^]*approvals are requested when they have passed/],
    ['Replay shadow', /in-canary, phase shadow[^]*person:lea approve as ml-lead[^]*the shadow goes on/],
  ] as const)('says what is waited for at %s', async (state, text) => {
    const made = await candidate();
    await during(
      here,
      made,
      (at) => at === state,
      async () => expect((await shown(made.name)).text).toMatch(text),
    );
  });

  it('says whose approval is lacking', async () => {
    const made = await candidate();
    let text = '';
    await here.traverse(made, {
      people: async () => {
        text = (await shown(made.name)).text;
        await made.well.people?.();
      },
    });
    expect(text).toMatch(/awaiting-approval, phase approval/);
    expect(text).toContain(`it waits for 1 of ml-lead, 1 of platform: gatehouse approve ${made.name}`);
  });

  it('says how the pairs of a shadow differ, and that what failed it is quarantined', async () => {
    const made = await candidate();
    await here.traverse(made, { pairs: [{ ...NO_DIFFERENCE, candidateErrors: 60, championErrors: 2 }] });
    const { text, data } = await shown(made.name);
    expect(text).toMatch(/shadow: FAIL\nof 500 pairs .*\nerrors +60 +2 +> 1 million +aborts/);
    expect(text).toContain('is quarantined: train a new candidate');
    expect(data).toMatchObject({
      canary: null,
      shadow: { counts: { candidateErrors: 60 } },
      quarantined: made.release,
    });
  });

  it('says that it began unshadowed', async () => {
    here = await canaryScene(withCanary, 0);
    const made = await candidate();
    await here.traverse(made, { pairs: null });
    expect((await shown(made.name)).text).toMatch(/shadow: NOT_APPLICABLE\n.*begins unshadowed/);
  });

  it('says why no canary applies', async () => {
    const { text } = await shown(here.champion.name);
    expect(text).toContain('no canary: the champion is the baseline, which nothing is compared with');
    expect(text).toContain('it was promoted at');
  });
});

describe('promotion show, of a canary that goes on', () => {
  /** The second look, which counts half an hour. */
  const second = (state: string, times: number): boolean => state === 'Judge canary' && times === 2;
  /** An execution that is under way, as its history says it. */
  const execution = (promotion: string, output: object) => ({
    input: { model: MODEL, promotion },
    looks: [
      {
        status: 'RUNNING',
        events: [
          {
            id: 1,
            type: 'TaskStateExited' as const,
            timestamp: here.clock.now(),
            stateExitedEventDetails: { name: 'Judge canary', output: JSON.stringify(output) },
          },
        ],
      },
    ],
  });

  it('counts the newest requests of the log, and estimates what the proof still needs', async () => {
    const made = await candidate();
    const look = async (): Promise<void> => {
      const plan = (await readPointer(here.prod.ledger, MODEL))?.traffic.plan;
      const at = (minute: number) => new Date(Date.parse(plan?.startedAt ?? '') + minute * 60_000).toISOString();
      const { text, data } = await shown(made.name, async (test) => {
        const requests = Array.from({ length: 200 }, (_, index) => ({
          request: loggedRequest({
            request: `call ${index}`,
            release: index % 10 === 0 ? made.release : here.champion.release,
            arm: index % 10 === 0 ? 'candidate' : index % 10 === 1 ? 'control' : 'champion',
            pointerSeq: 99,
            startedAt: at(1 + Math.floor(index / 10)),
            events: [{ id: `e${index}`, digest: digestOf(`e${index}`), probability: 0.5 }],
          }),
          raw: null,
        }));
        await test.lakeOf('prod').requests.add(requests);
      });
      expect(text).toMatch(/canary since 2026-03-02 09:00Z: continue/);
      expect(text).toMatch(/candidate +\w{12} +10 % +10\.0 % - 10\.0 % +20 +0 \(0\.00 %\)/);
      expect(text).toMatch(/about \d+ requests of the candidate are still needed/);
      expect(text).toContain('from the request log, by its closed minutes');
      expect(text).toContain('deadline 2026-03-02 12:00Z, in 2 h 30 min');
      expect(data).toMatchObject({ phase: 'canary', canary: { source: 'request-log', judgement: { minutes: 20 } } });
    };
    await during(here, made, second, look);
  });

  it('shows the last look of the execution where the log cannot be read, and says so', async () => {
    const made = await candidate();
    const look = async (): Promise<void> => {
      const plan = (await readPointer(here.prod.ledger, MODEL))?.traffic.plan;
      const from = plan?.startedAt ?? '';
      const until = here.clock.now();
      const minutes = minutesOf(new Date(from), until, {});
      const counted = { formatVersion: 1, model: MODEL, from, until: until.toISOString(), minutes } as const;
      const digest = await writeDocument(here.prod.documents, CanaryMinutes, counted);
      const { text } = await shown(made.name, async (test) => {
        test.lakeOf('prod').requests.days = () => Promise.reject(new Error('AccessDenied'));
        const told = execution(made.name, {
          opened: { objectiveMs: 200 },
          measured: { minutes: digest },
          look: { status: 'continue', found: 'no regression yet' },
        });
        const running = test.context.cloud('prod').names.stateMachineArn('canary').replace('stateMachine', 'execution');
        test.executionsOf('prod').set(`${running}:1`, told);
      });
      expect(text).toContain('by the last look of the execution');
      expect(text).toContain('the request log cannot be read: AccessDenied');
      expect(text).toContain('no regression yet');
      expect(text).toMatch(/more slow answers than the control arm +1\b/);
      expect(text).toMatch(/30 of 60 minutes with traffic/);
    };
    await during(here, made, second, look);
  });

  it('is told by why and status as well', async () => {
    const made = await candidate();
    const look = async (): Promise<void> => {
      const test = await seeing(here, { release: `${MODEL}@1.1.0`, to: 'prod' });
      await test.known(made.release, '1.1.0');
      await why(test.context);
      expect(test.text()).toContain('canary for 30 min 0 s of 1 h with traffic, until 2026-03-02 12:00Z at the latest');
      expect(test.text()).toContain(`gatehouse promotion watch ${made.name}`);
      const status = statusReport([await modelStatus(test.context, MODEL, 3)], here.clock.now(), [], []);
      expect(render(status, 'table')).toMatch(
        /in-canary +person:eng +canary for 30 min 0 s of 1 h with traffic, until 2026-03-02 12:00Z at the latest +2026-03-02 12:00Z/,
      );
    };
    await during(here, made, second, look);
  });
});

describe('promotion show, of what is over', () => {
  it('draws the evidence of a candidate that was aborted, against its limit', async () => {
    const made = await candidate();
    const rates = { candidate: 0.025, champion: 0.01, requests: 400 };
    await here.traverse(made, { rates, earlier: { requests: 2000 } });
    const { text, data } = await shown(made.name);
    expect(text).toMatch(/candidate +\w{12} +10 % +10\.0 % - 10\.0 % +800 +20 \(2\.50 %\)/);
    expect(text).toMatch(/regression: the mean of both +\d+ +aborts/);
    expect(text).toMatch(/e-values by the minute\n[^]* 100 \| -+[-*]*\*\n/);
    expect(text).toMatch(/09:00Z +09:\d\dZ\n +\* regression {3}o not bad {3}- limit 100/);
    expect(text).toMatch(/CANARY_ENDED +aborted: canary: more errors than the champion/);
    expect(data).toMatchObject({
      phase: 'over',
      quarantined: made.release,
      canary: {
        source: 'evidence',
        judgement: { verdict: 'abort', eValues: { limit: 100 } },
        recorded: { verdict: 'FAIL' },
        arms: [{ arm: 'champion' }, { arm: 'candidate', share: 0.1, requests: 800 }, { arm: 'control' }],
      },
    });
    const { series, judgement } = data['canary'] as { series: readonly object[]; judgement: { eValues: object } };
    expect(series.at(-1)).toMatchObject({ eValues: judgement.eValues });
  });

  it('says that one which finished was promoted', async () => {
    const made = await candidate();
    await here.traverse(made);
    const { text } = await shown(made.name);
    expect(text).toMatch(/canary since 2026-03-02 09:00Z: PASS/);
    expect(text).toMatch(/60 of 60 minutes with traffic[^]*it was promoted at/);
  });

  it('says that the counts of one which people stopped were not kept', async () => {
    const made = await candidate();
    const decision = { decision: 'reject', comment: 'not today' } as const;
    await during(
      here,
      made,
      (state, times) => state === 'Judge canary' && times === 1,
      () => decides(here.prod, here.control, made.name, 'ben', 'platform', decision),
    );
    const { text } = await shown(made.name);
    expect(text).toMatch(/not judged yet\n {2}it ended without a verdict, and its counts were not kept/);
    expect(text).toContain('stopped by person:ben: not today');
  });

  it('has the report of an A/B test, which promotes nothing', async () => {
    here = await withRule({ ab: { share: 0.3, hours: 1 } });
    const made = await candidate({ canaryRequest: { kind: 'ab' } });
    await here.traverse(made);
    const { text } = await shown(made.name);
    expect(text).toMatch(/requested +ab\n/);
    expect(text).toMatch(/A\/B test since 2026-03-02 09:00Z: INCONCLUSIVE\n[^]*candidate +\w{12} +30 %/);
    expect(text).toContain('an A/B test promotes nothing: request the release without --ab');
  });

  it('says how long a blue/green release was loaded', async () => {
    here = await withRule({ plan: 'blue-green' });
    const made = await candidate();
    await here.traverse(made);
    const { text } = await shown(made.name);
    expect(text).toMatch(/blue\/green release since 2026-03-02 09:00Z: NOT_APPLICABLE/);
    expect(text).toContain('loaded beside the champion since 2026-03-02T09:00');
    expect(text).not.toContain('e-values by the minute');
  });

  it('warns where the entity chooses the arm, with the figures of the bench', async () => {
    here = await withRule({ assignment: 'entity' });
    const made = await candidate();
    await here.traverse(made);
    expect((await shown(made.name)).text).toMatch(
      /WARNING: arms are assigned by entity.*\d[\d.]* % by entity with heavy users whose error rates differ/,
    );
  });
});

describe('a promotion is named', () => {
  it('by the beginning of its name, of which the newest counts, and by its release', async () => {
    const made = await candidate();
    const rates = { candidate: 0.025, champion: 0.01, requests: 400 };
    await here.traverse(made, { rates, earlier: { requests: 2000 } });
    here.clock.at += hours(1);
    expect((await shown(made.name.slice(0, 12))).data).toMatchObject({ promotion: { promotion: made.name } });
    const byRelease = await shown(`${MODEL}@1.1.0`, (test) => test.known(made.release, '1.1.0'));
    expect(byRelease.data).toMatchObject({ promotion: { promotion: made.name } });
  });

  it('or is refused, as "promotion-known" and "promotion-unique" say', async () => {
    await here.traverse(await candidate());
    await expect(shown('toy-nothing')).rejects.toMatchObject({
      refusal: { rule: 'promotion-known', found: 'prod has no promotion toy-nothing' },
    });
    await expect(shown('toy-')).rejects.toMatchObject({ refusal: { rule: 'promotion-unique' } });
  });
});
