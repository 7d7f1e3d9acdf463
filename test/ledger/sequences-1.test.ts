import { describe } from 'vitest';
import { shards } from './_shards.ts';

describe('three environments and the people, first half', () => shards(0));
