import { describe, expect, it } from 'vitest';
import { canonicalJson, parseCanonical } from '#domain/canonical/digest.ts';
import { rowFromJson, rowToJson } from '#domain/data/event-json.ts';
import { chooseGoldenEvents, GoldenRequest, whyNotGolden } from '#domain/release/golden-request.ts';
import { online } from '#test/serving/_endpoint.ts';

const DAY = '2026-03-01';
const event = (id: string, at: string, who = 'ann', price: number | null = 1) => ({
  row: { id, at, who, price },
  at: BigInt(Date.parse(at)) * 1000n,
});
const ids = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map(({ id }) => id);

describe('the events of a golden request', () => {
  it('are spread over the day, with the context that each declares and no other', () => {
    const day = Array.from({ length: 12 }, (_, hour) => {
      const at = `${DAY}T${String(hour).padStart(2, '0')}:00:00.000Z`;
      return [event(`ann-${hour}`, at), event(`bob-${hour}`, at, 'bob')];
    }).flat();
    const before = event('before', '2026-02-28T23:30:00.000Z');
    const chosen = chooseGoldenEvents(online, DAY, [...day.toReversed(), before]);
    expect(ids(chosen.events)).toEqual(['ann-3', 'ann-6', 'ann-9']);
    // Two hours of the same person, each row once.
    expect(ids(chosen.context)).toEqual(['ann-1', 'ann-2', 'ann-4', 'ann-5', 'ann-7', 'ann-8']);
    expect(chooseGoldenEvents(online, DAY, [before, ...day])).toEqual(chosen);
  });

  it('are as many as there are, at most as many as a request may have, and none that JSON cannot hold', () => {
    const two = [event('b', `${DAY}T02:00:00.000Z`), event('a', `${DAY}T02:00:00.000Z`)];
    const strange = event('nan', `${DAY}T03:00:00.000Z`, 'ann', Number.NaN);
    expect(ids(chooseGoldenEvents(online, DAY, [...two, strange]).events)).toEqual(['a', 'b']);
    const one = {
      ...online,
      online: {
        ...online.online,
        context: [],
        maxRows: 1,
        maxAggregateAgeDays: 2,
        objectiveMs: 1000,
        pointerMaxAgeSeconds: 5,
        retentionDays: 30,
      },
    };
    expect(ids(chooseGoldenEvents(one, DAY, two).events)).toEqual(['b']);
    expect(chooseGoldenEvents(online, '2026-03-02', two)).toEqual({ events: [], context: [] });
  });

  it('come back from JSON as they were, long integers too', () => {
    const row = { id: '12', seat: 2n ** 60n, row: 3, price: 0.1, vip: false, born: null };
    expect(rowFromJson(online.events.columns, rowToJson(row))).toEqual(row);
    expect(rowFromJson(online.events.columns, rowToJson({ seat: 7n }))).toEqual({ seat: 7 });
  });
});

describe('a golden request', () => {
  const golden = {
    formatVersion: 1,
    day: DAY,
    events: [{ id: 'a' }, { id: 'b' }],
    context: [],
    probabilities: [0.25, 0.5],
  };

  it.each([
    ['an unknown field', { note: 1 }],
    ['no events', { events: [], probabilities: [] }],
    ['fewer promises than events', { probabilities: [0.25] }],
    ['what is no probability', { probabilities: [0.25, 1.5] }],
  ])('is refused with %s', (_, change) => {
    expect(parseCanonical(GoldenRequest, canonicalJson(golden), 'golden')).toEqual(golden);
    expect(() => parseCanonical(GoldenRequest, canonicalJson({ ...golden, ...change }), 'golden')).toThrow(
      expect.objectContaining({ code: 'BAD_DOCUMENT' }),
    );
  });

  it('is answered as promised but for what another processor rounds', () => {
    const promised = GoldenRequest.parse(golden);
    expect(whyNotGolden(promised, [0.25, 0.5])).toBeUndefined();
    expect(whyNotGolden(promised, [0.25, 0.5 + 1e-7])).toBeUndefined();
    expect(whyNotGolden(promised, [0.25, 0.5 + 2e-6])).toMatch(/^event 1 gives 0\.500002, promised 0\.5$/);
    expect(whyNotGolden(promised, [Number.NaN, 0.5])).toMatch(/^event 0/);
    expect(whyNotGolden(promised, [0.25])).toMatch(/^event 1 gives undefined/);
  });
});
