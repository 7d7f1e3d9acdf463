import { describe, expect, it } from 'vitest';
import type { AttestationRule } from '#domain/policy/attestations.ts';
import { differencesOf } from '#domain/policy/differences.ts';
import { tighten } from '#domain/policy/tighten.ts';
import { PolicyTightening } from '#domain/policy/tightening.ts';
import { ATTESTATIONS, PRODUCER, WAIVER } from './_attestations.ts';
import { floor as without } from './_floor.ts';

type Own = NonNullable<PolicyTightening['attestations']>;

const { load, securityScan } = ATTESTATIONS;
const floorOf = (attestations: AttestationRule) => ({ ...without, attestations });
const floor = floorOf(ATTESTATIONS);

describe('what a model says of its attestations', () => {
  it.each<[string, Own, Partial<AttestationRule>]>([
    ['nothing', {}, {}],
    ['newer unit tests', { unitTests: { validDays: 14 } }, { unitTests: { validDays: 14 } }],
    [
      'fewer roles and more reviewers',
      { codeReview: { roles: ['ml-lead'], count: 2 } },
      { codeReview: { roles: ['ml-lead'], count: 2 } },
    ],
    ['newer integration tests', { integrationTests: { validDays: 7 } }, { integrationTests: { validDays: 7 } }],
    [
      'newer and faster load, and what it is compared with',
      { load: { validDays: 7, shareOfBaseline: 0.8, baseline: 40 } },
      { load: { ...load, validDays: 7, shareOfBaseline: 0.8, baseline: 40 } },
    ],
    [
      'more and newer scans that find more',
      { securityScan: { validDays: 1, severity: 'low', tools: ['artifact', 'pip-audit'] } },
      { securityScan: { ...securityScan, validDays: 1, severity: 'low', tools: ['artifact', 'pip-audit'] } },
    ],
    [
      'producers and waivers of its own',
      { producers: [PRODUCER], securityScan: { waivers: [WAIVER] } },
      { producers: [PRODUCER], securityScan: { ...securityScan, waivers: [WAIVER] } },
    ],
  ])('may be %s', (_, own, expected) => {
    expect(tighten('m', floor, { attestations: own }).attestations).toEqual({ ...ATTESTATIONS, ...expected });
  });

  it.each<[string, Own, string]>([
    ['older unit tests', { unitTests: { validDays: 91 } }, 'unitTests.validDays: 91 is looser'],
    [
      'reviewers of another role',
      { codeReview: { roles: ['platform'] } },
      "codeReview.roles: platform is none of the floor's ml-engineer, ml-lead",
    ],
    [
      'what staging finds out, by a producer of its own',
      { producers: [{ ...PRODUCER, gates: ['unit-tests', 'load'] }] },
      `producers: ${PRODUCER.workflow} would speak for load`,
    ],
    ['older integration tests', { integrationTests: { validDays: 31 } }, 'integrationTests.validDays: 31 is looser'],
    ['older load', { load: { validDays: 31 } }, 'load.validDays: 31 is looser'],
    ['more requests that fail', { load: { failures: 0.01 } }, "load.failures: 0.01 is looser than the floor's 0"],
    ['slower answers', { load: { shareOfBaseline: 0.4 } }, 'load.shareOfBaseline: 0.4 is looser'],
    ['older scans', { securityScan: { validDays: 8 } }, 'securityScan.validDays: 8 is looser'],
    [
      'worse vulnerabilities',
      { securityScan: { severity: 'critical' } },
      "securityScan.severity: critical is looser than the floor's high",
    ],
    [
      'a scan less',
      { securityScan: { tools: ['pip-audit'] } },
      "securityScan.tools: artifact is the floor's and missing here",
    ],
  ])('may not be %s', (_, own, message) => {
    expect(() => tighten('m', floor, { attestations: own })).toThrow(`attestations.${message}`);
  });

  it('comes on top of the floor’s producers and waivers, and lowers no baseline', () => {
    const more = floorOf({
      ...ATTESTATIONS,
      producers: [PRODUCER],
      load: { ...load, baseline: 50 },
      securityScan: { ...securityScan, waivers: [WAIVER] },
    });
    const another = { ...PRODUCER, issuer: 'gitlab' };
    const own = tighten('m', more, {
      attestations: { producers: [PRODUCER, another], load: { baseline: 60 }, securityScan: { waivers: [] } },
    }).attestations;
    expect(own?.producers).toEqual([PRODUCER, another]);
    expect(own?.load.baseline).toBe(60);
    expect(own?.securityScan.waivers).toEqual([WAIVER]);
    const slower = { attestations: { load: { baseline: 40 } } };
    expect(() => tighten('m', more, slower)).toThrow("attestations.load.baseline: 40 is looser than the floor's 50");
  });

  it('has no say in whose claims count, and with how much load is tested', () => {
    const people = [{ gates: ['unit-tests'], subject: 'person:alice' }];
    for (const attestations of [{ people }, { load: { seconds: 1 } }, { load: { connections: 1 } }])
      expect(PolicyTightening.safeParse({ attestations }).success).toBe(false);
    expect(tighten('m', without, {})).not.toHaveProperty('attestations');
    expect(() => tighten('m', without, { attestations: {} })).toThrow('attestations: the floor has none');
  });

  it('is shown where two policies differ in it, and in which direction', () => {
    const before = tighten('m', floor, {});
    const changed = (change: Partial<AttestationRule>) =>
      differencesOf(before, { ...before, attestations: { ...ATTESTATIONS, ...change } });
    const path = (end: string) => `attestations.${end}`;
    expect(changed({ load: { ...load, failures: 0.01 } })).toEqual([
      { path: path('load.failures'), before: '0', after: '0.01', direction: 'looser' },
    ]);
    expect(changed({ load: { ...load, seconds: 1 } })).toEqual([
      { path: path('load.seconds'), before: '10', after: '1', direction: 'may be looser' },
    ]);
    expect(changed({ securityScan: { ...securityScan, waivers: [WAIVER] } })).toEqual([
      {
        path: path('securityScan.waivers'),
        before: 'none',
        after: '(tool pip-audit, id CVE-1, reason is not reachable from here, from 2026-12-01, until 2026-12-31)',
        direction: 'may be looser',
      },
    ]);
    const [one] = changed({ producers: [PRODUCER] });
    expect(one).toMatchObject({ path: path('producers'), direction: 'may be looser' });
    expect(one?.after).toContain('issuer github');
    const two = { ...before, attestations: { ...ATTESTATIONS, producers: [PRODUCER] } };
    const other = { ...two, attestations: { ...ATTESTATIONS, producers: [{ ...PRODUCER, repositoryId: '2' }] } };
    expect(differencesOf(two, other)).toHaveLength(1);
  });
});
