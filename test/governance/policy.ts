import { definePolicyFloor } from '#model/define-policy.ts';
import floor from '../../governance/policy.ts';

const { canary: _canary, ...prod } = floor.transitions.prod;
const OF_CANARY = ['canary-power', 'shadow', 'canary'];

/**
 * The organisation's floor without canaries: the endpoints of most journeys have no traffic to watch a candidate by. Two journeys at a time fill a machine: a
 * request of a load that goes unanswered there is no fault of the release.
 */
export default definePolicyFloor({
  ...floor,
  ...(floor.attestations && {
    attestations: { ...floor.attestations, load: { ...floor.attestations.load, failures: 0.1 } },
  }),
  transitions: {
    ...floor.transitions,
    prod: { ...prod, gates: prod.gates.filter((gate) => !OF_CANARY.includes(gate)) },
  },
});
