import { z } from 'zod';
import { ChooseSalt } from '#use-cases/canary/choose-salt.ts';
import { StartCanary, StopCanary } from '#use-cases/canary/divide-traffic.ts';
import { JudgeCanary } from '#use-cases/canary/judge-canary.ts';
import { JudgeShadow, SkipCanary } from '#use-cases/canary/judge-shadow.ts';
import { MeasureCanary } from '#use-cases/canary/measure-canary.ts';
import { Abort, OpenCanary } from '#use-cases/canary/open-canary.ts';
import { ReplayShadow } from '#use-cases/canary/replay-shadow.ts';
import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { PlanAggregates, PublishAggregates } from '#use-cases/promotion/publish-aggregates.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const canary = {
  name: 'canary',
  /** `abort` is of whoever starts it by hand: null, where a promotion or the reconciler does. */
  input: z.object({ model: z.string(), promotion: z.string(), abort: Abort.nullable() }),
  states: {
    'Open canary': { reads: ['model', 'promotion', 'abort'], adds: 'opened', ...OpenCanary },
    'Skip canary': { reads: ['model', 'promotion'], adds: 'judged', ...SkipCanary },
    'Replay shadow': { reads: ['model', 'opened'], adds: 'shadow', ...ReplayShadow },
    'Judge shadow': { reads: ['model', 'promotion', 'shadow'], adds: 'judged', ...JudgeShadow },
    'Choose salt': { reads: ['model', 'promotion', 'opened'], adds: 'assigned', ...ChooseSalt },
    'Start canary': { reads: ['model', 'promotion', 'assigned'], adds: 'started', ...StartCanary },
    'Plan aggregates': { reads: ['model', 'promotion'], adds: 'aggregates', ...PlanAggregates },
    'Build aggregates': { reads: ['$'], adds: null, ...BuildPartitions },
    'Publish aggregates': {
      reads: ['model', 'promotion', 'aggregates', 'builtAggregates'],
      adds: 'publishedAggregates',
      ...PublishAggregates,
    },
    'Measure canary': { reads: ['model', 'started', 'opened'], adds: 'measured', ...MeasureCanary },
    'Judge canary': { reads: ['model', 'promotion', 'measured'], adds: 'look', ...JudgeCanary },
    'Stop canary': { reads: ['model', 'promotion', 'outcome'], adds: 'stopped', ...StopCanary },
    'Record failure': { reads: ['model', 'promotion', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
