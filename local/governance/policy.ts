import { definePolicyFloor } from '#model/define-policy.ts';
import floor from '../../governance/policy.ts';

const { canary, ...prod } = floor.transitions.prod;
if (canary === undefined) throw new Error('the organisation has no canary to shorten');

/**
 * The organisation's floor for a trial on a laptop: a canary lasts a minute, of a few hundred requests that a script sends, so that it finds only
 * what fails one request in five. Everything else is the organisation's own.
 */
export default definePolicyFloor({
  ...floor,
  transitions: {
    ...floor.transitions,
    prod: {
      ...prod,
      canary: {
        ...canary,
        share: 0.3,
        hours: 1 / 60,
        deadlineHours: 0.2,
        toleratedErrorRate: 0.2,
        // A laptop's functions answer one after the other.
        armMs: 10_000,
        closeMinutes: 0,
        staleMinutes: 5,
        power: 0.5,
        shadow: { minimumPairs: 25, decisions: false },
      },
    },
  },
});
