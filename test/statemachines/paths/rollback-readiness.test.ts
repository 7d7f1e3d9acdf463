import { expect, it } from 'vitest';
import { run } from './_run.ts';

const CHECK = [
  'Plan drill',
  'Anything to verify?',
  'Verify rollback target',
  'Check source data',
  'Record readiness',
  'Rollback ready?',
];

it.each([
  ['ready', 'Verified'],
  ['not-ready', 'Not ready'],
  ['superseded', 'Superseded'],
] as const)('a check that is %s ends in %s, and calls no other machine', async (status, ending) => {
  const { path, calls } = await run('rollback-readiness', { 'Record readiness': { status, reasons: [] } });
  expect(path).toEqual([...CHECK, ending]);
  expect(calls.filter(({ child }) => child !== undefined)).toEqual([]);
});

it.each(['idle', 'no-target', 'first-release', 'superseded'] as const)(
  'checks nothing where it is %s',
  async (status) => {
    const { path } = await run('rollback-readiness', { 'Plan drill': { status, reason: 'a reason' } });
    expect(path).toEqual(['Plan drill', 'Anything to verify?', 'Left unchecked']);
  },
);
