import type { Metrics } from '#ports/metrics.ts';

/** Keeps what was emitted. */
export function memoryMetrics(): Metrics & { readonly emitted: readonly Parameters<Metrics['emit']>[] } {
  const emitted: Parameters<Metrics['emit']>[] = [];
  return { emitted, emit: (...given) => void emitted.push(given) };
}
