import { z } from 'zod';
import { Attested } from '#domain/attestation/attestation.ts';
import type { Finding } from '#domain/attestation/finding.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findRecordOf } from '#read-model/chain.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { ReleaseTestPlan } from './plan-tests.ts';
import { attestingOperation } from './record-attestation.ts';

export const ConcludeTests = contract({
  input: z.object({ model: z.string(), run: z.string(), plan: ReleaseTestPlan }),
  output: z.object({ status: z.enum(['passed', 'failed']), reasons: z.array(z.string()) }),
});

/**
 * Says what an execution has found, from the records that it left. It is a summary for people: whether a gate passes is judged by the
 * policy where a promotion needs it.
 */
export function concludeTests({ ledger }: { readonly ledger: ReadableLedger }): Task {
  return ConcludeTests.task(async ({ model, run, plan }) => {
    const reasons = [...plan.untested];
    let isPassed = reasons.length === 0;
    for (const [gate, wanted] of [
      ['security-scan', plan.scan],
      ['integration-tests', plan.tests],
      ['load', plan.load],
    ] as const) {
      if (wanted === 'unwanted') continue;
      const record = await findRecordOf(ledger, model, attestingOperation(run, gate));
      const attested = Attested.safeParse(record?.details);
      if (!attested.success) throw new Error(`${gate}: ${run} left no record of what it found`);
      const { problem, found } = summaryOf(attested.data.finding);
      if (problem !== undefined) isPassed = false;
      reasons.push(`${gate}: ${problem ?? found}`);
    }
    return { status: isPassed ? 'passed' : 'failed', reasons };
  });
}

function summaryOf(finding: Finding): { readonly problem: string | undefined; readonly found: string } {
  switch (finding.kind) {
    case 'tests': {
      const { passed, failed, skipped, failures } = finding;
      const found = `${passed} passed, ${failed} failed, ${skipped} skipped`;
      return { problem: failed > 0 || passed === 0 ? [found, ...failures].join('; ') : undefined, found };
    }
    case 'load': {
      const { requests, failed, throughput, latencyMs } = finding;
      const found = `${requests} requests, ${failed} failed, ${throughput.toFixed(1)} a second, p99 ${latencyMs.p99 ?? 'unknown'} ms`;
      return { problem: failed > 0 || requests === 0 ? found : undefined, found };
    }
    case 'scan': {
      const { open, more, checked } = finding;
      const found = `${checked ?? 0} rules checked, ${open.length + more} broken`;
      const broken = open.map(({ id, of }) => `${id} in ${of}`);
      return { problem: open.length > 0 ? [found, ...broken].join('; ') : undefined, found };
    }
    case 'review':
      throw new Error(`${finding.kind} is nothing that this machine finds`);
  }
}
