import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readLoad } from '#read-model/policy.ts';
import { readPointer } from '#read-model/pointer.ts';
import { isBroken } from '#use-cases/verification/whole-release.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** The gates about which this environment finds something by itself. */
const TestedGate = z.enum(['integration-tests', 'load', 'security-scan']);

/** What the machine is started with: the served release where none is named, and all gates where none are. */
export const TestRequest = z.object({
  model: z.string(),
  release: Digest.nullish(),
  gates: z.array(TestedGate).min(1).nullish(),
  requestedBy: z.string().max(200).nullish(),
});

const Wanted = z.enum(['wanted', 'unwanted']);

/** What is to be found of a release. */
export const ReleaseTestPlan = z.object({
  status: z.literal('planned'),
  release: Digest,
  scan: Wanted,
  tests: Wanted,
  load: Wanted,
  /** Whether the release answers requests. */
  serving: z.enum(['endpoint', 'batch']),
  seconds: z.int(),
  connections: z.int(),
  /** Why something that was asked for is not looked for. */
  untested: z.array(z.string()),
});

export const PlanTests = contract({
  input: z.object({ request: TestRequest }),
  output: z.discriminatedUnion('status', [
    ReleaseTestPlan,
    z.object({ status: z.literal('idle'), reason: z.string() }),
  ]),
});

/** Says what of a release is to be found, and with how much load, by the policy in force. */
export function planTests(deps: {
  readonly ledger: ReadableLedger;
  readonly deployed: DeployedModels;
  readonly releases: ReadableStore;
}): Task {
  return PlanTests.task(async ({ request: { model, release: named, gates } }) => {
    const [pointer, { seconds, connections }] = await Promise.all([
      readPointer(deps.ledger, model),
      readLoad(deps.ledger, deps.deployed, model),
    ]);
    const release = named ?? pointer?.current;
    if (release === undefined) return { status: 'idle', reason: 'nothing is in production here' };
    const untested: string[] = [];
    const damage = await damageOf(deps.releases, release);
    const serving = damage.isOnline ? ('endpoint' as const) : ('batch' as const);
    const asks = (gate: z.infer<typeof TestedGate>): boolean => gates?.includes(gate) ?? true;
    const wanted = (gate: z.infer<typeof TestedGate>, why: string | undefined): z.infer<typeof Wanted> => {
      if (!asks(gate)) return 'unwanted';
      if (why !== undefined) untested.push(`${gate}: ${why}`);
      return why === undefined ? 'wanted' : 'unwanted';
    };
    const notServed =
      pointer?.current === release ? undefined : `the pointer names ${pointer?.current ?? 'nothing'}, not ${release}`;
    return {
      status: 'planned',
      release,
      scan: wanted('security-scan', undefined),
      // What is not served any more fails these tests, and says so.
      tests: wanted('integration-tests', damage.found),
      // A release that answers no requests has no load, and its gate knows.
      load: serving === 'batch' && damage.found === undefined ? 'unwanted' : wanted('load', damage.found ?? notServed),
      serving,
      seconds,
      connections,
      untested,
    };
  });
}

/** Whether a release answers requests, or why nobody knows. */
async function damageOf(
  releases: ReadableStore,
  release: Digest,
): Promise<{ readonly isOnline: boolean; readonly found: string | undefined }> {
  try {
    const { definition } = await definitionOf(releases, release);
    return { isOnline: definition.online !== undefined, found: undefined };
  } catch (error) {
    if (!isBroken(error)) throw error;
    return { isOnline: false, found: `the release is damaged: ${error.message}`.slice(0, 300) };
  }
}
