import { expect, it } from 'vitest';
import { run } from './_run.ts';

const BEGIN = ['Plan tests', 'Anything to test?', 'Wait before testing', 'Scan wanted?'];
const SCAN = ['Scan release', 'Record scan', 'Tests wanted?'];
const FIND = ['Find predictions', 'Predictions published?'];
const TESTS = ['Test batch', 'Test endpoint', 'Replay answers', 'Record tests', 'Load wanted?'];
const LOAD = ['Load endpoint', 'Record load'];
const END = ['Conclude tests', 'All passed?'];
const PLAN = {
  status: 'planned',
  release: `sha256:${'a'.repeat(64)}`,
  serving: 'endpoint',
  seconds: 10,
  connections: 2,
  untested: [],
} as const;

it.each([
  ['passed', 'Tested'],
  ['failed', 'Found faulty'],
] as const)('what has %s is recorded, part by part, and ends in %s', async (status, ending) => {
  const { path } = await run('release-tests', { 'Conclude tests': { status, reasons: [] } });
  expect(path).toEqual([...BEGIN, ...SCAN, ...FIND, ...TESTS, ...LOAD, ...END, ending]);
});

it('waits for the batch run', async () => {
  const waiting = { status: 'waiting' } as const;
  const found = { status: 'found', sample: `sha256:${'a'.repeat(64)}` } as const;
  const { path } = await run('release-tests', { 'Find predictions': [waiting, waiting, found] });
  expect(path.filter((state) => state === 'Wait for predictions')).toHaveLength(2);
  expect(path.at(-1)).toBe('Tested');
});

it.each([
  ['scan', [...BEGIN, ...SCAN, 'Load wanted?', ...END, 'Tested']],
  ['load', [...BEGIN, 'Tests wanted?', 'Load wanted?', ...LOAD, ...END, 'Tested']],
  ['tests', [...BEGIN, 'Tests wanted?', ...FIND, ...TESTS, ...END, 'Tested']],
] as const)('finds the %s alone', async (wanted, way) => {
  const none = { scan: 'unwanted', tests: 'unwanted', load: 'unwanted' } as const;
  const { path } = await run('release-tests', { 'Plan tests': { ...PLAN, ...none, [wanted]: 'wanted' } });
  expect(path).toEqual(way);
});

it('tests nothing where nothing is served', async () => {
  const { path } = await run('release-tests', { 'Plan tests': { status: 'idle', reason: 'a reason' } });
  expect(path).toEqual(['Plan tests', 'Anything to test?', 'Left unchecked']);
});
