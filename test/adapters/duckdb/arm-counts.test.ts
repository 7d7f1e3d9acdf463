import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countArms } from '#adapters/duckdb/arm-counts.ts';
import { writeRequests } from '#adapters/duckdb/request-files.ts';
import { Arm, CanaryMinute } from '#domain/canary/counts.ts';
import { FailedRequest, type LoggedRequest } from '#domain/prediction/request-log.ts';
import { answeredEvents, loggedRequest } from '#test/domain/prediction/_logged.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-arms-'));
});
afterAll(() => rm(folder, { recursive: true }));

const START = Date.parse('2026-03-02T08:00:00.000Z');
const at = (milliseconds: number): string => new Date(START + milliseconds).toISOString();
const WINDOW = { from: at(0), until: at(5 * 60_000), sincePointerSeq: null, objectiveMs: 100 };

type Line = LoggedRequest | FailedRequest;
type Asked = Omit<Parameters<typeof countArms>[0], 'requests' | 'failed'>;

const answered = (event: string, overrides: Partial<LoggedRequest> = {}): LoggedRequest =>
  loggedRequest({ request: `call ${event}`, startedAt: at(0), events: answeredEvents({ [event]: 0.5 }), ...overrides });

const failed = (event: string, overrides: Partial<FailedRequest> = {}): FailedRequest =>
  FailedRequest.parse({
    formatVersion: 1,
    request: `call ${event}`,
    model: 'toy',
    arm: 'champion',
    pointerSeq: 1,
    event,
    rule: 'champion-answers',
    startedAt: at(0),
    ...overrides,
  });

/** What the lines count, read from files of at most so many lines. */
async function counted(lines: readonly Line[], asked: Partial<Asked> = {}, perFile = 1000) {
  const home = await mkdtemp(join(folder, 'lines-'));
  const parts = <T>(all: readonly T[]): readonly (readonly T[])[] =>
    Array.from({ length: Math.ceil(all.length / perFile) }, (_, index) =>
      all.slice(index * perFile, (index + 1) * perFile),
    );
  const requests = parts(lines.filter((line) => 'events' in line)).map(async (part) => {
    const entries = part.map((request) => ({ request, raw: null }));
    return (await writeRequests(entries, await mkdtemp(join(home, 'requests-')))).requests;
  });
  const unanswered = parts(lines.filter((line) => 'event' in line)).map(async (part, index) => {
    const file = join(home, `failed-${index}.json`);
    await writeFile(file, part.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return file;
  });
  return countArms({
    ...WINDOW,
    ...asked,
    requests: await Promise.all(requests),
    failed: await Promise.all(unanswered),
  });
}

/** The same, line by line. */
function countedPlainly(lines: readonly Line[], { from, until, sincePointerSeq, objectiveMs }: Asked): CanaryMinute[] {
  const minuteOf = (line: Line): number => Math.floor(Date.parse(line.startedAt) / 60_000) * 60_000;
  const within = lines.filter(
    (line) =>
      minuteOf(line) >= Date.parse(from) &&
      minuteOf(line) + 60_000 <= Date.parse(until) &&
      (sincePointerSeq === null || line.pointerSeq >= sincePointerSeq),
  );
  const outcomes = within
    .map((line) => ({
      line,
      id: 'event' in line ? line.event : (line.events[0]?.id ?? ''),
      isError: 'event' in line || line.armFailure?.kind === 'failed',
      isSlow:
        'events' in line &&
        objectiveMs !== null &&
        (line.armFailure?.kind === 'late' || line.milliseconds > objectiveMs),
      isLate: 'events' in line && line.armFailure?.kind === 'late',
    }))
    .toSorted(
      (a, b) =>
        Date.parse(a.line.startedAt) - Date.parse(b.line.startedAt) ||
        (a.line.request < b.line.request ? -1 : Number(a.line.request > b.line.request)) ||
        (a.line.arm < b.line.arm ? -1 : Number(a.line.arm > b.line.arm)) ||
        Number(a.isError) - Number(b.isError) ||
        Number(a.isSlow) - Number(b.isSlow) ||
        Number(a.isLate) - Number(b.isLate),
    );
  const minutes = new Map<number, CanaryMinute>();
  const none = () => ({ requests: 0, errors: 0, slow: 0, late: 0 });
  for (const line of within.toSorted((a, b) => minuteOf(a) - minuteOf(b)))
    minutes.set(minuteOf(line), {
      minute: new Date(minuteOf(line)).toISOString(),
      candidate: none(),
      control: none(),
      champion: none(),
    });
  const seen = new Set<string>();
  for (const { line, id, isError, isSlow, isLate } of outcomes) {
    if (seen.has(id)) continue;
    seen.add(id);
    const counts = minutes.get(minuteOf(line))?.[line.arm];
    if (!counts) continue;
    counts.requests += 1;
    counts.errors += Number(isError);
    counts.slow += Number(isSlow);
    counts.late += Number(isLate);
  }
  return [...minutes.values()];
}

const none = { requests: 0, errors: 0, slow: 0, late: 0 };

describe('counts by arm and minute', () => {
  it('are of each request once, by its first outcome, however often it is tried or delivered', async () => {
    const once = answered('twice delivered', { arm: 'control' });
    const lines = [
      once,
      once,
      failed('tried again', { arm: 'candidate', startedAt: at(30_000) }),
      answered('tried again', { arm: 'candidate', startedAt: at(61_000) }),
      answered('answered', { startedAt: at(59_999), events: answeredEvents({ answered: 0.5, 'its second': 0.5 }) }),
      failed('answered', { startedAt: at(60_000) }),
    ];
    expect(await counted(lines, {}, 1)).toEqual([
      {
        minute: at(0),
        candidate: { requests: 1, errors: 1, slow: 0, late: 0 },
        control: { requests: 1, errors: 0, slow: 0, late: 0 },
        champion: { requests: 1, errors: 0, slow: 0, late: 0 },
      },
      { minute: at(60_000), candidate: none, control: none, champion: none },
    ]);
  });

  it('are, of outcomes of the same moment, of the one whose request has the first name', async () => {
    const lines = [
      failed('a', { request: 'call 2', arm: 'candidate' }),
      answered('a', { request: 'call 1', arm: 'control' }),
    ];
    expect(await counted(lines)).toEqual([
      { minute: at(0), candidate: none, control: { requests: 1, errors: 0, slow: 0, late: 0 }, champion: none },
    ]);
  });

  it('take an arm that failed for an error, and one that was late for late, and for slow where there is an objective', async () => {
    const arm = 'candidate' as const;
    const lines = [
      answered('failed', { arm, armFailure: { kind: 'failed', cause: 'x' } }),
      answered('late', { arm, armFailure: { kind: 'late', cause: 'x' }, milliseconds: 20 }),
      answered('above', { arm, milliseconds: 100.5 }),
      answered('at', { arm, milliseconds: 100 }),
    ];
    expect(await counted(lines)).toMatchObject([{ candidate: { requests: 4, errors: 1, slow: 2, late: 1 } }]);
    expect(await counted(lines, { objectiveMs: null })).toMatchObject([
      { candidate: { requests: 4, errors: 1, slow: 0, late: 1 } },
    ]);
  });

  it('are of whole minutes of the window, and of requests since a pointer', async () => {
    const lines = [
      answered('before', { startedAt: at(59_999) }),
      answered('first', { startedAt: at(60_000) }),
      failed('by an older pointer', { startedAt: at(60_000), pointerSeq: 3 }),
      answered('last', { startedAt: at(179_999), pointerSeq: 4 }),
      answered('after', { startedAt: at(180_000) }),
    ];
    const asked = { from: at(1), until: at(200_000) };
    expect((await counted(lines, asked)).map(({ minute, champion }) => [minute, champion?.requests])).toEqual([
      [at(60_000), 2],
      [at(120_000), 1],
    ]);
    expect(await counted(lines, { ...asked, sincePointerSeq: 4 })).toMatchObject([
      { minute: at(120_000), champion: { requests: 1, errors: 0 } },
    ]);
    expect(await counted([], asked)).toEqual([]);
  });

  it('are of all files, however many they are', async () => {
    const write = async (request: LoggedRequest): Promise<string> =>
      (await writeRequests([{ request, raw: null }], await mkdtemp(join(folder, 'many-')))).requests;
    const early = await write(answered('one', { arm: 'candidate', armFailure: { kind: 'late', cause: 'x' } }));
    const again = await write(answered('one', { arm: 'control', startedAt: at(1000) }));
    const other = await write(answered('another'));
    const line = join(folder, 'many-failed.json');
    await writeFile(line, `${JSON.stringify(failed('a third'))}\n`);
    const many = (file: string): readonly string[] => Array.from({ length: 600 }, () => file);
    const [minute] = await countArms({
      ...WINDOW,
      requests: [...many(again), early, other],
      failed: many(line),
    });
    expect(minute).toEqual({
      minute: at(0),
      candidate: { requests: 1, errors: 0, slow: 1, late: 1 },
      control: none,
      champion: { requests: 2, errors: 1, slow: 0, late: 0 },
    });
  });

  it('are those of counting line by line', { timeout: 60_000 }, async () => {
    const common = {
      event: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      request: fc.constantFrom('call 1', 'call 2', 'call 10'),
      arm: fc.constantFrom(...Arm.options),
      pointerSeq: fc.integer({ min: 1, max: 3 }),
      startedAt: fc.constantFrom(-1, 0, 30_000, 59_999, 60_000, 90_000, 150_000, 200_000, 299_999, 300_000).map(at),
    };
    const line: fc.Arbitrary<Line> = fc.oneof(
      fc.record(common).map(({ event, ...rest }) => failed(event, rest)),
      fc
        .record({
          ...common,
          milliseconds: fc.constantFrom(1, 100, 101),
          armFailure: fc.constantFrom(
            null,
            { kind: 'late' as const, cause: 'x' },
            { kind: 'failed' as const, cause: 'y' },
          ),
        })
        .map(({ event, ...rest }) => answered(event, rest)),
    );
    const asked = fc.record({
      from: fc.constantFrom(0, 1, 60_000).map(at),
      until: fc.constantFrom(200_000, 240_000, 300_000).map(at),
      sincePointerSeq: fc.constantFrom(null, 2),
      objectiveMs: fc.constantFrom(null, 100),
    });
    const lines = fc.array(line, { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(lines, asked, fc.integer({ min: 1, max: 31 }), async (lines, asked, perFile) => {
        const minutes = await counted(lines, asked, perFile);
        expect(minutes).toEqual(countedPlainly(lines, asked));
        for (const minute of minutes) expect(CanaryMinute.safeParse(minute).success).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});
