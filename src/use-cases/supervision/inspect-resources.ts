import { GatehouseError } from '#domain/error.ts';
import { executionHours } from '#domain/environment/execution-hours.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { isDeadLetterQueue, type Watched } from '#domain/supervision/watched.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { QueueState, Resources } from '#ports/resources.ts';
import type { Machine } from '#ports/state-machines.ts';
import { findPinnedKey } from '#read-model/cursors.ts';
import { each, type Fault, type Named } from '#use-cases/each.ts';

export interface InspectingResources {
  readonly ledger: ReadableLedger;
  readonly clock: Clock;
  readonly resources: Resources;
  readonly watched: Watched;
  readonly deployed: DeployedModels;
}

const HOUR_MS = 3_600_000;

/**
 * Looks at what carries the work: executions, queues, subscriptions, event sources and keys. Each thing that is not as it should be is a
 * fault under its own name. @returns the messages in dead-letter queues, unless nobody could say
 */
export async function inspectResources(deps: InspectingResources, faults: Fault[]): Promise<number | undefined> {
  const { watched, resources, deployed } = deps;
  const own = (item: string): Named => ({ item, model: deployed.models[0]?.definition.name });
  const inspect = async (
    names: readonly string[],
    what: string,
    look: (name: string) => Promise<void>,
  ): Promise<void> => each(faults, names, (name) => own(`${what} ${name}`), look);
  await inspectExecutions(deps, own, faults);
  let queues: readonly QueueState[] | undefined;
  await each(faults, ['queues'], own, async () => {
    queues = await resources.queues(watched.prefix);
  });
  const dead = queues?.filter(({ name }) => isDeadLetterQueue(name));
  await each(
    faults,
    dead ?? [],
    ({ name }) => own(`queues: ${name}`),
    async ({ name, messages }) => {
      if (messages > 0) throw new GatehouseError('DEAD_LETTERS', `${name} holds ${messages} messages`, { messages });
    },
  );
  await each(
    faults,
    queues?.filter(({ name }) => name === watched.inbox.name) ?? [],
    ({ name }) => own(`inbox ${name}`),
    async ({ messages }) => inspectInbox(deps, messages),
  );
  await inspect(Object.keys(watched.peers), 'subscription to', (peer) => inspectSubscription(deps, peer));
  await inspect(watched.alerts === null ? [] : [watched.alerts], 'subscribers of', async (topic) => {
    const found = await resources.subscribers(topic);
    if (found === 'absent' || !found.some(({ isConfirmed }) => isConfirmed))
      throw new GatehouseError('SUBSCRIPTION_LOST', `nobody has confirmed a subscription to ${topic}`);
  });
  await inspect(watched.requestLogs, 'request log', async (logGroup) => {
    if ((await resources.logSubscriptions(logGroup)).length === 0)
      throw new GatehouseError(
        'SUBSCRIPTION_LOST',
        `${logGroup} has no subscription filter: its requests are not stored`,
      );
  });
  await inspect(watched.eventSourced, 'event sources of', async (name) => {
    const found = await resources.eventSources(name);
    const wrong = found.filter(({ state }) => !['Enabled', 'Enabling', 'Creating', 'Updating'].includes(state));
    if (found.length === 0) throw new GatehouseError('EVENT_SOURCE_DISABLED', `nothing invokes ${name}`);
    const [first] = wrong;
    if (first !== undefined)
      throw new GatehouseError('EVENT_SOURCE_DISABLED', `${first.source} does not invoke ${name}: ${first.state}`);
  });
  await inspect(watched.keys, 'key', async (alias) => {
    const state = await resources.keyState(alias);
    if (state !== 'Enabled') throw new GatehouseError('KEY_UNUSABLE', `${alias} is ${state}`, { state });
  });
  return dead?.reduce((sum, { messages }) => sum + messages, 0);
}

/** Each execution past its deadline, whose fault is gone when it ends. */
async function inspectExecutions(
  { resources, watched, deployed, clock }: InspectingResources,
  own: (item: string) => Named,
  faults: Fault[],
): Promise<void> {
  const transitions = deployed.models.flatMap(({ policy }) => Object.values(policy.transitions));
  const longest = {
    approval: Math.max(0, ...transitions.map(({ approvalHours }) => approvalHours)),
    // One that was asked to be longer ends before its evidence expires.
    canary: Math.max(0, ...transitions.map((rule) => (rule.canary === undefined ? 0 : rule.evidenceValidHours))),
  };
  await each(
    faults,
    Object.keys(watched.machines) as Machine[],
    (machine) => own(`executions of ${machine}`),
    async (machine) => {
      const hours = executionHours(machine, longest);
      const overdue = (await resources.running(machine)).filter(
        ({ startedAt }) => clock.now().getTime() - startedAt.getTime() > hours * HOUR_MS,
      );
      await each(
        faults,
        overdue,
        ({ name }) => own(`executions of ${machine}: ${name}`),
        async ({ name, startedAt }) => {
          const found = `${name} of ${machine} runs since ${startedAt.toISOString()}; it may take ${hours} hours`;
          throw new GatehouseError('EXECUTION_OVERDUE', found, { hours });
        },
      );
    },
  );
}

/**
 * What the reconciler puts into the inbox in one round is read within seconds. More than two rounds of it, in two rounds of the supervisor,
 * is nothing that passes.
 */
async function inspectInbox({ watched, deployed }: InspectingResources, messages: number): Promise<void> {
  const usual = 2 * Object.keys(watched.peers).length * Math.max(1, deployed.models.length);
  if (messages > usual)
    throw new GatehouseError('INBOX_LAGS', `${messages} announcements wait in the inbox; ${usual} may`, { messages });
}

/** The reconciler subscribes the inbox anew; what it cannot mend, or does not know for a loss, is a peer's topic that is gone. */
async function inspectSubscription({ ledger, resources, watched }: InspectingResources, peer: string): Promise<void> {
  const found = await resources.subscribers(watched.peers[peer] ?? '');
  if (found === 'absent') {
    // A peer that was never heard of is not deployed yet.
    if ((await findPinnedKey(ledger, peer)) === undefined) return;
    throw new GatehouseError('SUBSCRIPTION_LOST', `the announcements of ${peer} cannot be seen any more`, { peer });
  }
  if (!found.some(({ endpoint, isConfirmed }) => endpoint === watched.inbox.arn && isConfirmed))
    throw new GatehouseError('SUBSCRIPTION_LOST', `the inbox is not subscribed to the announcements of ${peer}`, {
      peer,
    });
}
