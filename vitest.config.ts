import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/_helpers/longest-first.ts';
import { slowestFiles } from './test/_helpers/slowest-files.ts';

// Each file and each command is a process of its own; what Node has compiled of packages for one, the others read.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '.gatehouse', 'compiled');

const shared = {
  pool: 'forks' as const,
  // Each worker may run an emulator with its Lambdas beside it: two of them fill two cores.
  maxWorkers: 2,
  // Journeys deploy stacks and wait for state machines; they poll with deadlines of their own, which say more than this one.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  exclude: ['**/node_modules/**', '.gatehouse/**', 'cdk.out/**', 'dist/**'],
};

export default defineConfig({
  test: {
    ...shared,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [slowestFiles],
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...shared.exclude, 'test/journeys/**'],
          // One process runs many files: to import the same modules anew for each of them was a third of the time. So a
          // file puts back what it changes of its process, and leaves no state in a module that another would see.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [slowestFiles],
        test: {
          ...shared,
          name: 'journeys',
          include: ['test/journeys/**/*.test.ts'],
          isolate: false,
          globalSetup: 'test/journeys/_global-setup.ts',
          testTimeout: 360_000,
          // A journey may wait for the cloud that it starts from.
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
