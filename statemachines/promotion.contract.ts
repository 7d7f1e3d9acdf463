import { z } from 'zod';
import { MeasureCanary } from '#use-cases/canary/measure-canary.ts';
import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { MeasureComparison } from '#use-cases/data/measure-comparison.ts';
import { JudgeGates } from '#use-cases/gates/judge-gates.ts';
import { ScorePartitions } from '#use-cases/inference/score-partitions.ts';
import { CommitPromotion } from '#use-cases/promotion/commit-promotion.ts';
import { RecordPromotionFailure, RefusePromotion } from '#use-cases/promotion/end-promotion.ts';
import { OpenPromotion } from '#use-cases/promotion/open-promotion.ts';
import { PlanPromotionComparison } from '#use-cases/promotion/plan-promotion-comparison.ts';
import { MeasureLatency } from '#use-cases/promotion/measure-latency.ts';
import { PlanLatency } from '#use-cases/promotion/plan-latency.ts';
import { PlanRollbackTarget } from '#use-cases/promotion/plan-rollback-target.ts';
import { PrepareRollbackTarget } from '#use-cases/promotion/prepare-rollback-target.ts';
import { PlanAggregates, PublishAggregates } from '#use-cases/promotion/publish-aggregates.ts';
import { PullRelease } from '#use-cases/promotion/pull-release.ts';
import { RequestApprovals } from '#use-cases/promotion/request-approvals.ts';
import { VerifyRelease } from '#use-cases/verification/verify-release.ts';
import { VerifyServing } from '#use-cases/promotion/verify-serving.ts';
import { CheckSourceData } from '#use-cases/rollback-readiness/check-source-data.ts';
import { VerifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import { canary } from './canary.contract.ts';
import { rollback } from './rollback.contract.ts';
import type { MachineContract } from './contract.ts';

export const promotion = {
  name: 'promotion',
  input: z.object({ model: z.string() }),
  states: {
    'Open promotion': { reads: ['model'], adds: 'promotion', ...OpenPromotion },
    'Pull release': { reads: ['model', 'promotion'], adds: 'pull', ...PullRelease },
    'Verify release': { reads: ['model', 'promotion'], adds: 'verification', ...VerifyRelease },
    'Plan comparison': { reads: ['model'], adds: 'plan', ...PlanPromotionComparison },
    'Compare with champion': { reads: ['model', 'verification', 'plan'], adds: 'comparison', ...JudgeGates },
    'Build daily partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Score release': { reads: ['$'], adds: null, ...ScorePartitions },
    'Measure comparison': { reads: ['plan', 'scores'], adds: 'plan', ...MeasureComparison },
    'Measure traffic': { reads: ['model', 'promotion'], adds: 'traffic', ...MeasureCanary },
    'Evaluate gates': { reads: ['model', 'verification', 'plan', 'traffic'], adds: 'gates', ...JudgeGates },
    'Request approvals': { reads: ['model'], adds: 'approval', ...RequestApprovals },
    'Plan aggregates': { reads: ['model'], adds: 'aggregates', ...PlanAggregates },
    'Build aggregates': { reads: ['$'], adds: null, ...BuildPartitions },
    'Publish aggregates': {
      reads: ['model', 'aggregates', 'builtAggregates'],
      adds: 'publishedAggregates',
      ...PublishAggregates,
    },
    'Watch canary': { reads: ['model'], adds: 'canary', starts: canary },
    'Plan rollback target': { reads: ['model'], adds: 'targetPlan', ...PlanRollbackTarget },
    'Verify rollback target': { reads: ['model', 'targetPlan'], adds: 'targetVerification', ...VerifyRollbackTarget },
    'Check source data': { reads: ['targetPlan'], adds: 'sourceData', ...CheckSourceData },
    'Prepare rollback target': {
      reads: ['model', 'targetPlan', 'targetVerification', 'sourceData'],
      adds: 'rollbackTarget',
      ...PrepareRollbackTarget,
    },
    'Plan latency': { reads: ['model'], adds: 'latencyPlan', ...PlanLatency },
    'Measure latency': { reads: ['model', 'latencyPlan'], adds: 'latency', ...MeasureLatency },
    'Commit promotion': { reads: ['model', 'latency'], adds: 'commit', ...CommitPromotion },
    'Verify serving': { reads: ['model', 'promotion'], adds: 'serving', ...VerifyServing },
    'Roll back': { reads: ['model', 'promotion', 'commit'], adds: 'rollback', starts: rollback },
    'Refuse promotion': { reads: ['model', 'outcome'], adds: 'ending', ...RefusePromotion },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordPromotionFailure },
  },
} satisfies MachineContract;
