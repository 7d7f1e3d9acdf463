import { BUILD } from './build.ts';
import { EVERY_DAY } from './every-day.ts';
import { INSPECT } from './inspect.ts';
import { INCIDENTS } from './incidents.ts';
import { OPERATE } from './operate.ts';
import type { CommandSpec } from './spec.ts';

/** Every command, in the order in which help shows them. */
export const CATALOGUE: readonly CommandSpec[] = [...EVERY_DAY, ...BUILD, ...INSPECT, ...OPERATE, ...INCIDENTS];
