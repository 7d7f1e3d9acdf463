import { describe, expect, it } from 'vitest';
import { machine } from '#local/statemachines/machines.ts';
import { MACHINES, reachable, successorsOf } from './_machines.ts';

/** Each act, and the states without which nobody may come to it. Whatever asks a question stands with its question. */
const GUARDS = [
  {
    name: 'promotion',
    act: 'Commit promotion',
    guards: [
      'Open promotion',
      'Lock taken?',
      'Pull release',
      'Release pulled?',
      'Verify release',
      'Plan comparison',
      'Compare with champion',
      'Champion beaten?',
      'Evaluate gates',
      'Gates passed?',
      'Approvals needed?',
      'Plan rollback target',
      'Verify rollback target',
      'Check source data',
      'Prepare rollback target',
      'Rollback target ready?',
      'Plan latency',
      'Measure latency',
      'Plan aggregates',
      'Aggregates planned?',
      'Canary needed?',
    ],
  },
  { name: 'canary', act: 'Start canary', guards: ['Open canary', 'Canary opened?', 'Choose salt'] },
  { name: 'canary', act: 'Watched', guards: ['Open canary', 'Canary opened?', 'Stop canary'] },
  {
    name: 'promotion',
    act: 'Promoted',
    guards: ['Commit promotion', 'Committed?', 'Verify serving', 'Serving verified?'],
  },
  { name: 'confirmation', act: 'Confirmed', guards: ['Confirm release', 'Release confirmed?'] },
  {
    name: 'probation',
    act: 'Confirm release',
    guards: [
      'Plan review',
      'Anything watched?',
      'Score shadow',
      'Measure comparison',
      'Judge release',
      'Verdict reached?',
    ],
  },
  { name: 'probation', act: 'Roll back', guards: ['Measure comparison', 'Judge release', 'Verdict reached?'] },
  {
    name: 'drift',
    act: 'Stable',
    guards: ['Plan drift check', 'Measure stability', 'Recompute features', 'Judge drift', 'Anything found?'],
  },
  {
    name: 'rollback',
    act: 'Rolled back',
    guards: ['Switch pointer', 'Verify serving', 'Open incident', 'Repair predictions', 'Serving verified?'],
  },
  { name: 'incident', act: 'Changed', guards: ['Change incident', 'Incident changed?'] },
  {
    name: 'rollback-readiness',
    act: 'Verified',
    guards: [
      'Plan drill',
      'Anything to verify?',
      'Verify rollback target',
      'Check source data',
      'Record readiness',
      'Rollback ready?',
    ],
  },
  { name: 'release-tests', act: 'Record scan', guards: ['Plan tests', 'Scan wanted?', 'Scan release'] },
  {
    name: 'release-tests',
    act: 'Record tests',
    guards: [
      'Plan tests',
      'Tests wanted?',
      'Find predictions',
      'Predictions published?',
      'Test batch',
      'Test endpoint',
      'Replay answers',
    ],
  },
  { name: 'release-tests', act: 'Record load', guards: ['Plan tests', 'Load wanted?', 'Load endpoint'] },
  { name: 'release-tests', act: 'Tested', guards: ['Anything to test?', 'Conclude tests', 'All passed?'] },
  {
    name: 'rollback-verification',
    act: 'Verified',
    guards: [
      'Probe endpoint',
      'Probe endpoint again',
      'Judge probes',
      'Check request log',
      'Verify rollback',
      'Rollback verified?',
    ],
  },
  {
    name: 'validation',
    act: 'Offer release',
    guards: [
      'Plan validation',
      'Comparison possible?',
      'Score releases',
      'Measure comparison',
      'Evaluate gates',
      'Plan reports',
      'Write reports',
      'Improvement proven?',
    ],
  },
  {
    name: 'retraining',
    act: 'Validate candidates',
    guards: [
      'Open retraining run',
      'Plan windows',
      'Windows planned?',
      'Validate data',
      'Data valid?',
      'Train windows',
      'Package candidates',
      'Anything trained?',
      'Register candidate',
    ],
  },
  {
    name: 'data-quality',
    act: 'Accepted',
    guards: ['Plan data check', 'Anything to check?', 'Stage data', 'Judge data', 'Data accepted?'],
  },
  {
    name: 'batch-inference',
    act: 'Publish predictions',
    guards: ['Plan reconciliation', 'Work to do?', 'Many partitions?'],
  },
];

describe.each(GUARDS)('$name: $act', ({ name, act, guards }) => {
  it('can be reached', () => {
    expect(reachable(machine(name))).toContain(act);
  });

  it.each(guards)('cannot be reached without "%s"', (guard) => {
    expect(Object.keys(machine(name).States)).toContain(guard);
    expect(reachable(machine(name), { states: [guard] })).not.toContain(act);
  });
});

describe('approvals', () => {
  const needed = [['Approvals needed?', 'Plan aggregates']] as const;

  it('stand before the commit wherever the policy requires them', () => {
    const promotion = machine('promotion');
    expect(reachable(promotion, { edges: needed })).toContain('Commit promotion');
    for (const guard of ['Request approvals', 'Approved?']) {
      expect(reachable(promotion, { edges: needed, states: [guard] })).not.toContain('Commit promotion');
    }
  });

  it('lead to the commit only by the answer "approved"', () => {
    const state = machine('promotion').States['Approved?'];
    expect(state).toMatchObject({ Choices: [{ StringEquals: 'approved' }], Default: 'Approval was not given' });
    const edges = [...needed, ['Approved?', 'Plan aggregates']] as const;
    expect(reachable(machine('promotion'), { edges })).not.toContain('Commit promotion');
  });
});

it('lets these states write a pointer, and no others', () => {
  const writers = MACHINES.flatMap((name) =>
    Object.entries(machine(name).States).flatMap(([state, of]) =>
      of.Type === 'Task' && of.Resource === '${PointerFunction}' ? [`${name}: ${state}`] : [],
    ),
  );
  expect(writers.toSorted()).toEqual([
    'canary: Start canary',
    'canary: Stop canary',
    'confirmation: Confirm release',
    'promotion: Commit promotion',
    'rollback: Switch pointer',
  ]);
});

it('lets no fault lead anywhere but to a record or to rolling back what was switched', () => {
  for (const name of MACHINES) {
    for (const state of Object.values(machine(name).States)) {
      if (!('Catch' in state)) continue;
      for (const { Next } of state.Catch ?? []) expect(['Record failure', 'Approval expired']).toContain(Next);
    }
  }
});

it('finds a successor of each state that does not end a machine', () => {
  for (const name of MACHINES) {
    for (const [state, of] of Object.entries(machine(name).States)) {
      const isEnd = of.Type === 'Succeed' || of.Type === 'Fail';
      expect(successorsOf(of).length > 0, `${name}: ${state}`).toBe(!isEnd);
    }
  }
});
