import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a release can misbehave at its endpoint: it crashes, it is slow, or its probabilities are others. */
export const FAULTS = ['errors', 'latency', 'wrong-answers'] as const;
export type FaultKind = (typeof FAULTS)[number];

/** A fault of one release at one endpoint function. */
export interface Fault {
  readonly release: string;
  readonly kind: FaultKind;
  /** How much longer each answer takes, of the kind `latency`. */
  readonly milliseconds: number;
}

/** Injects a fault into the answers of a function in a local cloud, or takes it out; `local/emulator/faults.py` reads it. */
export function injectFault(home: string, functionName: string, fault: Fault | undefined): void {
  const path = join(home, 'faults.json');
  const { [functionName]: _old, ...others } = readFaults(path);
  writeFileSync(
    path,
    JSON.stringify({ ...others, ...(fault === undefined ? {} : { [functionName]: fault }) }, null, 2),
  );
}

function readFaults(path: string): Readonly<Record<string, Fault>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, Fault>;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
