import type { Reporter, TestModule, Vite } from 'vitest/node';

const SHOWN = 10;

/** What a file has cost: what it imports, its set-up and its tests. */
function secondsOf(file: TestModule): number {
  const { prepareDuration, collectDuration, setupDuration, duration } = file.diagnostic();
  return (prepareDuration + collectDuration + setupDuration + duration) / 1000;
}

const reporter: Reporter = {
  onTestRunEnd(files) {
    const slowest = files.toSorted((a, b) => secondsOf(b) - secondsOf(a)).slice(0, SHOWN);
    const lines = slowest.map((file) => `${secondsOf(file).toFixed(1).padStart(7)} s  ${file.relativeModuleId}`);
    console.log(`\nThe ${slowest.length} slowest of ${files.length} files\n${lines.join('\n')}\n`);
  },
};

/** Ends each run with its ten slowest files, whatever reporters the command line names. */
export const slowestFiles: Vite.Plugin = {
  name: 'slowest-files',
  configureVitest({ vitest: { config } }) {
    // Each project calls this.
    if (!config.reporters.includes(reporter)) config.reporters.push(reporter);
  },
};
