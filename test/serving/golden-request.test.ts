// A golden request is answered by the release's own events, context and aggregates, whatever is published.
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOfJson } from '#domain/canonical/digest.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { withGoldenRequest } from '#test/use-cases/_releases.ts';
import { endpoint, inputs } from './_endpoint.ts';

const EVENT = { id: 'e1', who: 'ann', at: '2001-01-14T08:00:00.000Z', seat: '1152921504606846976', price: 0.5 };
const GOLDEN = {
  formatVersion: 1 as const,
  day: '2001-01-14',
  events: [EVENT, { ...EVENT, id: 'e2', price: 0.75 }],
  context: [{ ...EVENT, id: 'c1', at: '2001-01-14T07:00:00.000Z' }],
  probabilities: [0.1, 0.1],
};
const DAYS = ['2001-01-12', '2001-01-13'];

let here: Awaited<ReturnType<typeof endpoint>>;
/** Promotes a release that promises something, with nothing published for it. */
async function promoted(golden = GOLDEN) {
  const release = await withGoldenRequest(here.prod.releases, await here.release('release 100'), golden, DAYS);
  await here.promote(release);
  return release;
}
const golden = (rest: object = {}) => here.infer([], { parameters: { golden: true }, ...rest });
beforeEach(async () => {
  here = await endpoint();
});

describe('a golden request', () => {
  it('is answered and compared, marked, by nothing that is published', async () => {
    const release = await promoted();
    const { status, json, probabilities } = await golden({ id: 'g1' });
    expect(status).toBe(200);
    expect(probabilities).toEqual([0.1, 0.1]);
    expect(json).toMatchObject({
      id: 'g1',
      parameters: {
        digest: release,
        arm: 'champion',
        aggregates: '',
        aggregates_until: '2001-01-13',
        golden: true,
        golden_matches: true,
      },
    });
    expect(here.features.opened).toEqual([{ sql: 'SELECT features', days: DAYS }]);
    expect(here.features.inUse()).toBe(0);
    // A prediction has no such marks, and needs what is published.
    expect((await here.infer(inputs())).json.error).toMatch(/^(aggregates-published|event-day-served)/);
  });

  it('is answered by the digests of its events, exactly those of predictions of the same rows', async () => {
    await promoted();
    const { json } = await golden({ outputs: [{ name: 'event_digest' }] });
    expect(json.outputs).toEqual([
      {
        name: 'event_digest',
        datatype: 'BYTES',
        shape: [2],
        data: GOLDEN.events.map((event) => digestOfJson(event)),
      },
    ]);
  });

  it('says that it does not match where a probability is another', async () => {
    await promoted({ ...GOLDEN, probabilities: [0.1, 0.1 + 2e-6] });
    expect((await golden()).json.parameters).toMatchObject({ golden: true, golden_matches: false });
  });

  it('is refused by a release that holds none, and with inputs', async () => {
    await here.promote(await here.release('release 100'));
    expect(await golden()).toMatchObject({
      status: 404,
      json: { error: expect.stringContaining('golden-request-held: ') },
    });
    for (const body of [
      { inputs: inputs(), parameters: { golden: true } },
      { inputs: [] },
      { parameters: { golden: 'true' } },
    ])
      expect(await here.send('POST', `/v2/models/${MODEL}/infer`, body)).toMatchObject({
        status: 400,
        json: { error: expect.stringMatching(/^inference-request: inputs: expected at least one input/) },
      });
  });
});
