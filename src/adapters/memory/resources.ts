import type { Watched } from '#domain/supervision/watched.ts';
import type { QueueState, Resources } from '#ports/resources.ts';

/** Resources that are as they should be, until they are changed. */
export function memoryResources(watched: Watched) {
  const state = {
    running: new Map<string, readonly { readonly name: string; readonly startedAt: Date }[]>(),
    queues: [{ name: watched.inbox.name, messages: 0 }] as QueueState[],
    subscribers: new Map<string, 'absent' | readonly { readonly endpoint: string; readonly isConfirmed: boolean }[]>([
      ...Object.values(watched.peers).map(
        (topic) => [topic, [{ endpoint: watched.inbox.arn, isConfirmed: true }]] as const,
      ),
      ...(watched.alerts === null ? [] : [[watched.alerts, [{ endpoint: 'mail', isConfirmed: true }]] as const]),
    ]),
    logSubscriptions: new Map(watched.requestLogs.map((name) => [name, ['filter'] as readonly string[]])),
    eventSources: new Map(watched.eventSourced.map((name) => [name, [{ source: 'queue', state: 'Enabled' }]])),
    keys: new Map(watched.keys.map((alias) => [alias, 'Enabled'])),
  };
  const resources: Resources = {
    running: async (machine) => state.running.get(machine) ?? [],
    queues: async (prefix) => state.queues.filter(({ name }) => name.startsWith(prefix)),
    subscribers: async (topic) => state.subscribers.get(topic) ?? 'absent',
    logSubscriptions: async (logGroup) => state.logSubscriptions.get(logGroup) ?? [],
    eventSources: async (name) => state.eventSources.get(name) ?? [],
    keyState: async (alias) => state.keys.get(alias) ?? 'absent',
  };
  return { ...resources, state };
}
