import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Journeys that mostly wait, for training jobs and approvals: last on a worker of its own, one would be all that runs. */
const LONG = ['journeys/own-model.test.ts'];

/** The order of files: what takes longest begins first, which the size of a file, all that a fresh machine knows, does not tell. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(name));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
