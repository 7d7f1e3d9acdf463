import { definePolicyFloor } from '#model/define-policy.ts';

/** What no model's policy may loosen. Durations are hours; gains and skills are shares of the log loss. */
export default definePolicyFloor({
  comparison: {
    // Two seeds of one recipe differ by up to 0.85 %; a gain below half a percent is noise, whatever the test says.
    minimumImprovement: 0.005,
    confidence: 0.95,
    minimumDays: 7,
    minimumRows: 2000,
    minimumSkill: 0.005,
  },
  transitions: {
    initial: {
      gates: ['released-upstream', 'release-integrity'],
      approvals: [],
      opensOnOffer: true,
      evidenceValidHours: 24,
      approvalHours: 24,
    },
    staging: {
      gates: ['released-upstream', 'release-integrity', 'metric-baseline', 'better-than-champion'],
      approvals: [],
      opensOnOffer: true,
      evidenceValidHours: 72,
      approvalHours: 48,
    },
    prod: {
      gates: ['released-upstream', 'release-integrity', 'metric-baseline', 'better-than-champion'],
      approvals: [
        { role: 'ml-lead', count: 1 },
        { role: 'platform', count: 1 },
      ],
      opensOnOffer: false,
      evidenceValidHours: 72,
      approvalHours: 48,
    },
    // Past staging, straight from dev: proven in prod like everything else, and let in by more people, who decide at once.
    hotfix: {
      gates: ['released-upstream', 'release-integrity', 'metric-baseline', 'better-than-champion'],
      approvals: [
        { role: 'ml-lead', count: 1 },
        { role: 'platform', count: 1 },
        { role: 'risk', count: 1 },
      ],
      opensOnOffer: false,
      evidenceValidHours: 24,
      approvalHours: 12,
    },
  },
});
