import { Listr } from 'listr2';
import type { Draw } from './context.ts';

/** Shows a picture that is drawn again whenever it has changed, in a terminal, until the work is done. */
export async function drawn<T>(title: string, work: (draw: Draw) => Promise<T>): Promise<T> {
  const results: T[] = [];
  const list = new Listr(
    [
      {
        title,
        task: async (_context: unknown, task: { title: string }) => {
          results.push(await work((picture) => (task.title = picture.join('\n'))));
        },
      },
    ],
    // Whoever awaits the work says what Ctrl-C leaves behind.
    { registerSignalListeners: false, rendererOptions: { collapseErrors: false, formatOutput: 'truncate' } },
  );
  await list.run();
  // What the work throws, the list throws: here it has answered.
  const [result] = results as [T];
  return result;
}
