import { beforeEach, expect, it } from 'vitest';
import { run as watch } from '#cli/commands/promotion/watch.ts';
import type { Context } from '#cli/context.ts';
import { RefusedError } from '#cli/refusal.ts';
import { canaryScene } from '../use-cases/_canary.ts';
import { open } from '../use-cases/_machine.ts';
import { seeing } from './_watched.ts';

let here: Awaited<ReturnType<typeof canaryScene>>;
beforeEach(async () => {
  here = await canaryScene();
});
const candidate = () => here.candidate('better', { version: '1.1.0', requestSeq: 2 });

/** What the command said when it was over, and how it ended. */
async function watched(promotion: string) {
  const test = await seeing(here, { promotion });
  const error = await watch(test.context).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { text: test.text(), notes: test.notes, error };
}

it('ends well with a promotion that was promoted', async () => {
  const made = await candidate();
  await here.traverse(made);
  const { text, notes, error } = await watched(made.name);
  expect(error).toBeUndefined();
  expect(text).toContain('it was promoted at');
  expect(notes[0]).toMatch(/^toy@1\.1\.0 \(\w{12}\) into prod: committed$/);
  expect(notes.join('\n')).toMatch(/60 of 60 minutes: finish: no regression/);
});

it('is refused as the promotion was', async () => {
  const made = await candidate();
  const rates = { candidate: 0.025, champion: 0.01, requests: 400 };
  await here.traverse(made, { rates, earlier: { requests: 2000 } });
  const { error } = await watched(made.name);
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({
    refusal: { rule: 'gates-passed', found: expect.stringContaining('canary: FAIL: more errors than the champion') },
  });
});

it('is refused where a newer promotion went before it', async () => {
  const made = await candidate();
  const newer = await here.candidate('newer', { version: '1.2.0', requestSeq: 3 });
  await here.traverse(made, {
    people: async () => {
      await open(here.prod, newer.request);
    },
  });
  expect((await watched(made.name)).error).toMatchObject({
    refusal: { rule: 'promotion-newest', found: expect.stringContaining('superseded') },
  });
});

it('goes on while the promotion does, and says each thing once', async () => {
  const made = await candidate();
  let going: ReturnType<typeof watch> | undefined;
  let test: Awaited<ReturnType<typeof seeing>> | undefined;
  const pictures: string[] = [];
  await here.traverse(made, {
    before: async (state) => {
      if (state !== 'Replay shadow') return;
      test = await seeing(here, { promotion: made.name });
      const drawn = Promise.withResolvers<undefined>();
      const context: Context = {
        ...test.context,
        showing: (_title, work) =>
          work((picture, news) => {
            pictures.push(picture.join('\n'));
            test?.notes.push(...news);
            drawn.resolve(undefined);
          }),
      };
      going = watch(context);
      await drawn.promise;
    },
  });
  await going;
  const notes = test?.notes ?? [];
  expect(pictures[0]).toContain('the shadow goes on');
  expect(pictures.at(-1)).toContain('it was promoted at');
  // A terminal has to hold it while it is drawn again.
  for (const each of pictures) expect(each.split('\n').length).toBeLessThan(45);
  expect(notes[0]).toContain('in-canary, phase shadow');
  expect(notes.filter((line) => line.includes('CANARY_OPENED'))).toHaveLength(1);
  expect(notes.at(-1)).toContain('CANARY_ENDED');
});
